import { type FormEvent, useState } from 'react';
import { Button } from 'react-aria-components';
import type { ConversationMessage } from '../../api/documents.ts';
import { useDocument } from '../../api/hooks.ts';
import { Field } from '../../components/form.tsx';
import { MissionCard } from '../../components/mission-card.tsx';

interface PaneProps {
  readonly conversation: string | undefined;
  readonly onSay: (text: string) => void;
  readonly busy: boolean;
}

export function ConciergePane({ conversation, onSay, busy }: PaneProps) {
  const path = conversation === undefined ? undefined : `/concierge/conversations/${conversation}/messages`;
  const { data: messages = [] } = useDocument<ConversationMessage[]>(path);
  const [text, setText] = useState('');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (text.trim() === '') return;
    onSay(text.trim());
    setText('');
  };
  const last = messages.at(-1);
  return (
    <>
      {messages.length === 0 && (
        <p className="quiet">
          Fill in the form, or say what you want: “make metrics.example.com reachable from the internet at port 8080”.
        </p>
      )}
      <ol className="talk" aria-live="polite" aria-label="Conversation">
        {messages.map((message) => (
          <li key={message.id} data-author={message.author}>
            <p>{message.text}</p>
            {message.mission_id !== null && <MissionCard id={message.mission_id} />}
          </li>
        ))}
      </ol>
      {last?.author === 'concierge' && last.choices.length > 0 && (
        <fieldset className="actions answers" aria-label="Answers">
          {last.choices.map(({ value, label }) => (
            <Button key={value} className="button small" isDisabled={busy} onPress={() => onSay(value)}>
              {label}
            </Button>
          ))}
        </fieldset>
      )}
      <form className="toolbar" onSubmit={submit}>
        <div className="grow">
          <Field label="Message" value={text} onChange={setText} />
        </div>
        <Button type="submit" className="button" isDisabled={busy || text.trim() === ''}>
          Send
        </Button>
      </form>
    </>
  );
}

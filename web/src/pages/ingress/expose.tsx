import { useState } from 'react';
import type { Conversation } from '../../api/documents.ts';
import { useChange } from '../../api/hooks.ts';
import { FormProblem } from '../../components/form.tsx';
import { ConciergePane } from './concierge.tsx';
import { Wizard } from './wizard.tsx';

/**
 * The wizard at the left composes the same brief that a person would write at the right. What comes of it is a mission
 * that somebody approves; nothing here exposes anything by itself.
 */
export function Expose() {
  const [conversation, setConversation] = useState<string>();
  const start = useChange<Conversation>();
  const say = useChange();
  const send = async (text: string) => {
    const id =
      conversation ?? (await start.mutateAsync({ method: 'POST', path: '/concierge/conversations', body: {} })).id;
    setConversation(id);
    await say.mutateAsync({ method: 'POST', path: `/concierge/conversations/${id}/messages`, body: { text } });
  };
  const submit = (text: string) => void send(text).catch(() => {});
  const busy = start.isPending || say.isPending;
  return (
    <div className="split">
      <Wizard onBrief={submit} busy={busy} />
      <section className="card" aria-label="Mission approval">
        <h2>Mission approval</h2>
        <ConciergePane conversation={conversation} onSay={submit} busy={busy} />
        <FormProblem problem={start.error ?? say.error} />
      </section>
    </div>
  );
}

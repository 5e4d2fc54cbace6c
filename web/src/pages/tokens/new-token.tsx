import { type FormEvent, useState } from 'react';
import { Button, Checkbox, CheckboxGroup, Label } from 'react-aria-components';
import { type CreatedToken, PERMISSIONS, type Permission } from '../../api/documents.ts';
import { useChange } from '../../api/hooks.ts';
import { useSession } from '../../api/session.tsx';
import { Choice } from '../../components/choice.tsx';
import { CopyLine } from '../../components/copy.tsx';
import { Overlay } from '../../components/dialog.tsx';
import { Field, FormFoot } from '../../components/form.tsx';

const LIFETIMES = [
  { id: '30', title: '30 days' },
  { id: '90', title: '90 days' },
  { id: '365', title: 'A year' },
  { id: '', title: 'Until it is revoked' },
];

export function NewToken({ onClose }: { onClose: () => void }) {
  const session = useSession();
  const [name, setName] = useState('');
  const [person, setPerson] = useState('');
  const [permissions, setPermissions] = useState<string[]>(['apps.read']);
  const [days, setDays] = useState('90');
  const create = useChange<CreatedToken>();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const whose = person.trim() === '' ? {} : { belongs_to: person };
    const body = { name, permissions, ...whose, ...(days !== '' && { expires_in_days: Number(days) }) };
    create.mutate({ method: 'POST', path: '/tokens', body });
  };
  if (create.data !== undefined)
    return (
      <Overlay title={`The token ${create.data.name}`} open onClose={onClose}>
        <p>Take it now: it is not shown again.</p>
        <CopyLine text={create.data.token} label="token" />
        <Button className="button primary" onPress={onClose}>
          I have it
        </Button>
      </Overlay>
    );
  return (
    <Overlay title="New token" open onClose={onClose}>
      <form className="form" onSubmit={submit}>
        <Field label="Name" name="name" value={name} onChange={setName} required autoFocus problem={create.error} />
        <Field
          label="Belongs to"
          name="belongs_to"
          value={person}
          onChange={setPerson}
          hint="The person it is for, if that is not you. Two tokens of one person are one approver."
          problem={create.error}
        />
        <Choice label="Ends after" value={days} onChange={setDays} options={LIFETIMES} />
        <CheckboxGroup className="field wide" value={permissions} onChange={setPermissions}>
          <Label>May</Label>
          {Object.entries(PERMISSIONS).map(([permission, words]) => (
            <Checkbox
              key={permission}
              value={permission}
              className="checkbox"
              isDisabled={!session.permissions.includes(permission as Permission)}
            >
              <span className="box" aria-hidden="true" />
              <span>
                <code>{permission}</code> <span className="quiet">{words}</span>
              </span>
            </Checkbox>
          ))}
        </CheckboxGroup>
        <FormFoot
          action="Make it"
          problem={create.error}
          fields={['name', 'belongs_to']}
          disabled={create.isPending || permissions.length === 0}
          onCancel={onClose}
        />
      </form>
    </Overlay>
  );
}

import { type FormEvent, useState } from 'react';
import { Button } from 'react-aria-components';
import type { CreatedEabKey } from '../../api/documents.ts';
import { useChange } from '../../api/hooks.ts';
import { CopyLine } from '../../components/copy.tsx';
import { Overlay } from '../../components/dialog.tsx';
import { Field, FormFoot } from '../../components/form.tsx';

/** Makes a key for one account, and shows its secret once. */
export function NewEabKey({ profile, onClose }: { profile: string; onClose: () => void }) {
  const [description, setDescription] = useState('');
  const [allow, setAllow] = useState('');
  const [most, setMost] = useState('');
  const [days, setDays] = useState('');
  const create = useChange<CreatedEabKey>();
  if (create.data !== undefined)
    return (
      <Overlay title="The binding key" open onClose={onClose}>
        <p>Take the secret now: it is not shown again.</p>
        <CopyLine text={create.data.id} label="key id" />
        <CopyLine text={create.data.hmac_key} label="HMAC key" />
        <Button className="button primary" onPress={onClose}>
          I have it
        </Button>
      </Overlay>
    );
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const names = allow.split(/[\s,]+/).filter(Boolean);
    create.mutate({
      method: 'POST',
      path: `/system/acme_profiles/${profile}/eab_keys`,
      body: {
        ...(description !== '' && { description }),
        ...(names.length > 0 && { names: { allow: names } }),
        ...(most !== '' && { max_certificates: Number(most) }),
        ...(days !== '' && { expires_in_days: Number(days) }),
      },
    });
  };
  return (
    <Overlay title={`A binding key for ${profile}`} open onClose={onClose}>
      <form className="form" onSubmit={submit}>
        <Field label="What it is for" name="description" value={description} onChange={setDescription} autoFocus />
        <Field
          label="Names that it may have"
          name="names.allow"
          value={allow}
          onChange={setAllow}
          problem={create.error}
          placeholder="*.team.corp.example"
          hint="Empty: those of the profile; where accounts are trusted, none"
        />
        <Field
          label="At most certificates"
          name="max_certificates"
          value={most}
          onChange={setMost}
          problem={create.error}
          hint="Empty: no limit"
        />
        <Field
          label="Ends after days"
          name="expires_in_days"
          value={days}
          onChange={setDays}
          problem={create.error}
          hint="Empty: never"
        />
        <FormFoot
          action="Make the key"
          problem={create.error}
          fields={['names.allow', 'max_certificates', 'expires_in_days']}
          disabled={create.isPending}
          onCancel={onClose}
        />
      </form>
    </Overlay>
  );
}

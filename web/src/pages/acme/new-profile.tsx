import { type FormEvent, useState } from 'react';
import { useChange } from '../../api/hooks.ts';
import { Check } from '../../components/check.tsx';
import { Choice } from '../../components/choice.tsx';
import { Overlay } from '../../components/dialog.tsx';
import { Field, FormFoot } from '../../components/form.tsx';

const MODES = [
  { id: 'challenge', title: 'Each name is proved by a challenge' },
  { id: 'trust_authenticated', title: 'The bound account is trusted for the names of its key' },
];

/** The settings that a first profile needs; the rest have good defaults and are changed by API or command line. */
export function NewProfile({ onClose }: { onClose: () => void }) {
  const [id, setId] = useState('');
  const [mode, setMode] = useState('challenge');
  const [eab, setEab] = useState(false);
  const [allow, setAllow] = useState('');
  const [cidrs, setCidrs] = useState('');
  const [days, setDays] = useState('90');
  const create = useChange();
  const bound = eab || mode === 'trust_authenticated';
  const submit = (event: FormEvent) => {
    event.preventDefault();
    create.mutate({
      method: 'POST',
      path: '/system/acme_profiles',
      body: {
        id,
        auth_mode: mode,
        eab_required: bound,
        names: { allow: words(allow) },
        ...(cidrs.trim() !== '' && { validation: { allowed_cidrs: words(cidrs) } }),
        max_ttl_seconds: Math.round(Number(days) * 86_400),
      },
      onDone: onClose,
    });
  };
  return (
    <Overlay title="New profile" open onClose={onClose}>
      <form className="form" onSubmit={submit}>
        <Field
          label="Id"
          name="id"
          value={id}
          onChange={setId}
          required
          autoFocus
          problem={create.error}
          placeholder="corp"
          hint="Part of its directory's URL"
        />
        <Field
          label="Longest life in days"
          name="max_ttl_seconds"
          value={days}
          onChange={setDays}
          required
          problem={create.error}
        />
        <div className="wide">
          <Choice label="Authorization" value={mode} onChange={setMode} options={MODES} />
        </div>
        <div className="wide">
          <Check checked={bound} onChange={setEab} disabled={mode === 'trust_authenticated'}>
            Accounts need an external account key
          </Check>
        </div>
        <Field
          label="Names that may be had"
          name="names.allow"
          value={allow}
          onChange={setAllow}
          problem={create.error}
          placeholder="*.corp.example, 10.0.0.0/8"
          hint="Empty: any"
        />
        <Field
          label="Private addresses that may be reached"
          name="validation.allowed_cidrs"
          value={cidrs}
          onChange={setCidrs}
          problem={create.error}
          placeholder="10.0.0.0/8"
          hint="For validation; public ones always may"
        />
        <FormFoot
          action="Make it"
          problem={create.error}
          fields={['id', 'names.allow', 'validation.allowed_cidrs', 'max_ttl_seconds']}
          disabled={create.isPending}
          onCancel={onClose}
        />
      </form>
    </Overlay>
  );
}

const words = (text: string) => text.split(/[\s,]+/).filter(Boolean);

import { type FormEvent, useState } from 'react';
import { useChange } from '../../api/hooks.ts';
import { Check } from '../../components/check.tsx';
import { Overlay } from '../../components/dialog.tsx';
import { Field, FormFoot } from '../../components/form.tsx';

/** Any ACME directory as an issuer; it is asked before anything is kept. */
export function NewIssuer({ onClose }: { onClose: () => void }) {
  const [fields, setFields] = useState<Record<string, string>>({});
  const [staging, setStaging] = useState(false);
  const create = useChange();
  const value = (key: string) => fields[key] ?? '';
  const field = (key: string) => ({
    name: key,
    value: value(key),
    onChange: (text: string) => setFields((before) => ({ ...before, [key]: text })),
    problem: create.error,
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const given = (key: string) => (value(key).trim() === '' ? {} : { [key]: value(key).trim() });
    const contact = value('contact')
      .split(/[\s,]+/)
      .filter(Boolean);
    create.mutate({
      method: 'POST',
      path: '/system/issuers',
      body: {
        ...given('id'),
        directory: value('directory').trim(),
        ...given('ca_certificate'),
        ...given('profile'),
        ...given('preferred_chain'),
        ...(contact.length > 0 && { contact }),
        ...(value('key_id') !== '' && { eab: { key_id: value('key_id'), hmac_key: value('hmac_key') } }),
        ...(staging && { staging }),
      },
      onDone: onClose,
    });
  };
  return (
    <Overlay title="Add an issuer" open onClose={onClose}>
      <form className="form" onSubmit={submit}>
        <Field label="Name" {...field('id')} required autoFocus placeholder="corp-ca" />
        <Field label="Directory" {...field('directory')} required placeholder="https://ca.example.com/acme/directory" />
        <Field label="Contact" {...field('contact')} placeholder="mailto:ops@example.com" />
        <Field label="ACME profile" {...field('profile')} hint="If it offers several, such as shortlived" />
        <Field label="Preferred chain" {...field('preferred_chain')} hint="Name of the root or its issuer" />
        <Field label="EAB key id" {...field('key_id')} hint="If it asks for an external account" />
        <Field label="EAB HMAC key" {...field('hmac_key')} secret />
        <Field
          label="Its own root"
          {...field('ca_certificate')}
          lines={4}
          hint="PEM, if this machine does not trust it"
        />
        <div className="wide">
          <Check checked={staging} onChange={setStaging}>
            For trying only: its certificates never count for production
          </Check>
        </div>
        <FormFoot
          action={create.isPending ? 'Asking its directory…' : 'Add'}
          problem={create.error}
          fields={['id', 'directory', 'profile', 'ca_certificate']}
          disabled={create.isPending}
          onCancel={onClose}
        />
      </form>
    </Overlay>
  );
}

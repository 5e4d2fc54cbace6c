import { type FormEvent, useState } from 'react';
import type { DnsProvider } from '../../api/documents.ts';
import { useChange, useDocument } from '../../api/hooks.ts';
import { Choice } from '../../components/choice.tsx';
import { Overlay } from '../../components/dialog.tsx';
import { Field, FormFoot } from '../../components/form.tsx';

/** Asks for the fields that the chosen provider needs, as the server's own table of providers says. */
export function NewCredential({ onClose }: { onClose: () => void }) {
  const { data: providers = [] } = useDocument<DnsProvider[]>('/system/acme_dns_providers');
  const [provider, setProvider] = useState('cloudflare');
  const [name, setName] = useState('');
  const [zones, setZones] = useState('');
  const [fields, setFields] = useState<Record<string, string>>({});
  const create = useChange();
  const wanted = providers.find(({ id }) => id === provider)?.fields ?? [];
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const given = wanted.flatMap(({ name: key }) => (fields[key] ? [[key, fields[key]] as const] : []));
    const body = { name, provider, zones: zones.split(/[\s,]+/).filter(Boolean), fields: Object.fromEntries(given) };
    create.mutate({ method: 'POST', path: '/system/acme_dns_credentials', body, onDone: onClose });
  };
  return (
    <Overlay title="Add a DNS credential" open onClose={onClose}>
      <form className="form" onSubmit={submit}>
        <Field label="Name" name="name" value={name} onChange={setName} required autoFocus problem={create.error} />
        <Choice
          label="Provider"
          value={provider}
          onChange={setProvider}
          options={providers.map(({ id, name: title }) => ({ id, title }))}
        />
        {wanted.map((field) => (
          <Field
            key={field.name}
            label={field.name}
            name={`fields.${field.name}`}
            value={fields[field.name] ?? ''}
            onChange={(text) => setFields((before) => ({ ...before, [field.name]: text }))}
            required={field.required}
            secret={field.secret}
            hint={field.description}
            problem={create.error}
          />
        ))}
        <Field
          label="Zones"
          name="zones"
          value={zones}
          onChange={setZones}
          hint="Empty: every zone that it can see"
          problem={create.error}
        />
        <FormFoot
          action="Add"
          problem={create.error}
          fields={['name', 'zones', ...wanted.map((field) => `fields.${field.name}`)]}
          disabled={create.isPending}
          onCancel={onClose}
        />
      </form>
    </Overlay>
  );
}

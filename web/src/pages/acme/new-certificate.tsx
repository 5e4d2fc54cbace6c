import { type FormEvent, useState } from 'react';
import { useLocation } from 'wouter';
import type { Certificate, DnsCredential, Issuer } from '../../api/documents.ts';
import { useChange, useList } from '../../api/hooks.ts';
import { Choice } from '../../components/choice.tsx';
import { Overlay } from '../../components/dialog.tsx';
import { Field, FormFoot } from '../../components/form.tsx';

const KEYS = ['ec-p256', 'ec-p384', 'rsa-2048', 'rsa-3072', 'rsa-4096'].map((id) => ({ id, title: id }));
const CHALLENGES = [
  { id: '', title: 'Whatever works' },
  ...['tls-alpn-01', 'http-01', 'dns-01', 'dns-account-01', 'dns-persist-01'].map((id) => ({ id, title: id })),
];

/** A certificate that a person wants for itself, apart from any domain. */
export function NewCertificate({ onClose }: { onClose: () => void }) {
  const [, navigate] = useLocation();
  const issuers = useList<Issuer>('/system/issuers').rows;
  const credentials = useList<DnsCredential>('/system/acme_dns_credentials').rows;
  const [names, setNames] = useState('');
  const [issuer, setIssuer] = useState('');
  const [key, setKey] = useState('ec-p256');
  const [challenge, setChallenge] = useState('');
  const [credential, setCredential] = useState('');
  const create = useChange<Certificate>();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    create.mutate({
      method: 'POST',
      path: '/system/acme_certificates',
      body: {
        names: names.split(/[\s,]+/).filter(Boolean),
        key_type: key,
        ...(issuer !== '' && { issuers: [issuer] }),
        ...(challenge !== '' && { challenge }),
        ...(credential !== '' && { dns_credential_id: credential }),
      },
      onDone: ({ id }) => navigate(`/certificates/${id}`),
    });
  };
  return (
    <Overlay title="Get a certificate" open onClose={onClose}>
      <form className="form" onSubmit={submit}>
        <div className="wide">
          <Field
            label="Names"
            name="names"
            value={names}
            onChange={setNames}
            required
            autoFocus
            problem={create.error}
            placeholder="example.com, *.example.com, 192.0.2.1"
            hint="Host names, wildcards and addresses"
          />
        </div>
        <Choice
          label="Issuer"
          value={issuer}
          onChange={setIssuer}
          options={[{ id: '', title: 'The default' }, ...issuers.map(({ id }) => ({ id, title: id }))]}
        />
        <Choice label="Key" value={key} onChange={setKey} options={KEYS} />
        <Choice label="Proof" value={challenge} onChange={setChallenge} options={CHALLENGES} />
        <Choice
          label="DNS credential"
          value={credential}
          onChange={setCredential}
          options={[
            { id: '', title: 'Whichever covers the names' },
            ...credentials.map(({ id, name, provider }) => ({ id, title: `${name} (${provider})` })),
          ]}
        />
        <FormFoot
          action="Get it"
          problem={create.error}
          fields={['names']}
          disabled={create.isPending}
          onCancel={onClose}
        />
      </form>
    </Overlay>
  );
}

import { type FormEvent, useState } from 'react';
import { useLocation } from 'wouter';
import type { Certificate } from '../../api/documents.ts';
import { useChange } from '../../api/hooks.ts';
import { Overlay } from '../../components/dialog.tsx';
import { Field, FormFoot } from '../../components/form.tsx';

/** A chain and key from elsewhere: served and watched for its end like the rest, but not renewed. */
export function UploadCertificate({ onClose }: { onClose: () => void }) {
  const [, navigate] = useLocation();
  const [chain, setChain] = useState('');
  const [key, setKey] = useState('');
  const upload = useChange<Certificate>();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    upload.mutate({
      method: 'POST',
      path: '/system/acme_certificates/upload',
      body: { chain_pem: chain, private_key_pem: key },
      onDone: ({ id }) => navigate(`/certificates/${id}`),
    });
  };
  return (
    <Overlay title="Bring your own certificate" open onClose={onClose}>
      <form className="form" onSubmit={submit}>
        <Field
          label="Chain"
          name="chain_pem"
          value={chain}
          onChange={setChain}
          lines={6}
          required
          problem={upload.error}
          hint="PEM, the leaf first"
        />
        <Field
          label="Private key"
          name="private_key_pem"
          value={key}
          onChange={setKey}
          lines={5}
          required
          problem={upload.error}
          hint="PEM; it is kept sealed and never shown"
        />
        <FormFoot
          action="Take it"
          problem={upload.error}
          fields={['chain_pem', 'private_key_pem']}
          disabled={upload.isPending}
          onCancel={onClose}
        />
      </form>
    </Overlay>
  );
}

import { type FormEvent, useState } from 'react';
import { Button } from 'react-aria-components';
import type { DnsCredential, Issuer, Network, Peer } from '../../api/documents.ts';
import { useList } from '../../api/hooks.ts';
import { Choice } from '../../components/choice.tsx';
import { Field } from '../../components/form.tsx';

const PROTOCOLS = [
  { id: 'https', title: 'https' },
  { id: 'http', title: 'http' },
];

const TERMINATIONS = [
  { id: 'proxy', title: 'The proxy, with a certificate got here' },
  { id: 'backend', title: 'The service, with its own certificate' },
];

/** Collects the fields and writes them as one brief, field by field, so that the reader needs to guess nothing. */
export function Wizard({ onBrief, busy }: { onBrief: (text: string) => void; busy: boolean }) {
  const networks = useList<Network>('/system/sdwan/networks').rows;
  const peers = useList<Peer>('/system/sdwan/peers').rows;
  const issuers = useList<Issuer>('/system/issuers').rows;
  const credentials = useList<DnsCredential>('/system/acme_dns_credentials').rows;
  const [fields, setFields] = useState<Record<string, string>>({
    service_protocol: 'https',
    tls_issuer: 'letsencrypt-staging',
    termination: 'proxy',
  });
  const value = (key: string) => fields[key] ?? '';
  const set = (key: string) => (text: string) => setFields((before) => ({ ...before, [key]: text }));
  const network = value('sdwan_network_id');
  const https = value('service_protocol') === 'https';
  const certified = https && value('termination') === 'proxy';
  const inNetwork = peers.filter(({ network_id }) => network_id === network);
  const free = networks.find(({ id }) => id === network)?.free_addresses;
  const suggestion = [free?.ipv6, free?.ipv4].filter((address) => address != null).join(', ');
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const wanted = Object.entries(fields).filter(
      ([key, text]) =>
        text !== '' &&
        (certified || !['tls_issuer', 'dns_credential_id'].includes(key)) &&
        (https || key !== 'termination'),
    );
    onBrief(['Expose a service publicly:', ...wanted.map(([key, text]) => `${key}: ${text}`)].join('\n'));
  };
  const named = (rows: readonly { id: string; name: string }[], none: string) => [
    { id: '', title: none },
    ...rows.map(({ id, name }) => ({ id, title: name })),
  ];
  return (
    <section className="card">
      <h2>Expose a service</h2>
      <form className="form" onSubmit={submit}>
        <Field
          label="Public hostname"
          value={value('service_hostname')}
          onChange={set('service_hostname')}
          required
          placeholder="metrics.example.com"
        />
        <Choice
          label="Protocol"
          value={value('service_protocol')}
          onChange={set('service_protocol')}
          options={PROTOCOLS}
        />
        <Field
          label="Backend port"
          value={value('backend_port')}
          onChange={set('backend_port')}
          required
          placeholder="8080"
        />
        <Field
          label="Public port"
          value={value('listen_port')}
          onChange={set('listen_port')}
          placeholder={https ? '443' : '80'}
          hint="On the hub"
        />
        <Choice
          label="Network"
          value={network}
          onChange={set('sdwan_network_id')}
          options={named(networks, 'Choose')}
        />
        <Choice
          label="Hub peer"
          value={value('sdwan_hub_peer_id')}
          onChange={set('sdwan_hub_peer_id')}
          disabled={network === ''}
          options={named(
            inNetwork.filter(({ publicly_reachable }) => publicly_reachable),
            'Choose',
          )}
          hint="Publicly reachable peers of the network"
        />
        <Choice
          label="Backend peer"
          value={value('target_peer_id')}
          onChange={set('target_peer_id')}
          disabled={network === ''}
          options={named(inNetwork, 'Choose')}
        />
        <Field
          label="Virtual IP"
          value={value('vip_cidr')}
          onChange={set('vip_cidr')}
          required
          hint={suggestion === '' ? 'A /128 in the network, or a /32' : `Free: ${suggestion}`}
        />
        {https && (
          <Choice
            label="Who ends TLS"
            value={value('termination')}
            onChange={set('termination')}
            options={TERMINATIONS}
          />
        )}
        {certified && (
          <>
            <Choice
              label="Issuer"
              value={value('tls_issuer')}
              onChange={set('tls_issuer')}
              options={issuers.map(({ id }) => ({ id, title: id }))}
              hint="Try with letsencrypt-staging first"
            />
            <Choice
              label="DNS credential"
              value={value('dns_credential_id')}
              onChange={set('dns_credential_id')}
              options={[
                { id: '', title: 'None' },
                ...credentials.map(({ id, name, provider }) => ({ id, title: `${name} (${provider})` })),
              ]}
            />
          </>
        )}
        <div className="actions wide">
          <Button type="submit" className="button primary" isDisabled={busy}>
            Make a plan
          </Button>
          <span className="quiet">Nothing happens before it is approved.</span>
        </div>
      </form>
    </section>
  );
}

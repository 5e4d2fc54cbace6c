import { useState } from 'react';
import { Button } from 'react-aria-components';
import { Link } from 'wouter';
import type { CertificateDetail, CertificateEvent, CertificateVersion } from '../../api/documents.ts';
import { useChange, useDocument } from '../../api/hooks.ts';
import { useMay } from '../../api/session.tsx';
import { Check } from '../../components/check.tsx';
import { Choice } from '../../components/choice.tsx';
import { Confirm } from '../../components/dialog.tsx';
import { FormProblem } from '../../components/form.tsx';
import { Loaded } from '../../components/states.tsx';
import { StagingMark, Status } from '../../components/status.tsx';
import { Time } from '../../components/time.tsx';
import { Timeline } from '../../components/timeline.tsx';
import { Why } from '../../components/why.tsx';
import { Page } from '../../shell/page.tsx';

const REASONS = [
  { id: 'unspecified', title: 'Unspecified' },
  { id: 'key-compromise', title: 'The key was or may be known to others' },
  { id: 'superseded', title: 'Superseded by another certificate' },
  { id: 'cessation-of-operation', title: 'The names are no longer in use' },
  { id: 'affiliation-changed', title: 'The owner of the names changed' },
  { id: 'privilege-withdrawn', title: 'The right to the names was withdrawn' },
];

export function CertificatePage({ id }: { id: string }) {
  const path = `/system/acme_certificates/${encodeURIComponent(id)}`;
  const query = useDocument<CertificateDetail>(path);
  const title = query.data?.names.join(', ') ?? 'Certificate';
  return (
    <Page
      title={title}
      lead={<Link href="/certificates">All certificates</Link>}
      actions={query.data !== undefined && <Actions path={path} certificate={query.data} />}
    >
      <Loaded query={query}>{(certificate) => <Details path={path} certificate={certificate} />}</Loaded>
    </Page>
  );
}

function Actions({ path, certificate }: { path: string; certificate: CertificateDetail }) {
  const may = useMay('system.acme.manage');
  const renew = useChange();
  const [revoking, setRevoking] = useState(false);
  if (!may) return null;
  return (
    <>
      <Button
        className="button"
        isDisabled={renew.isPending}
        onPress={() => renew.mutate({ method: 'POST', path: `${path}/renew` })}
      >
        {certificate.served === null ? 'Try now' : 'Renew now'}
      </Button>
      {certificate.served !== null && (
        <Button className="button danger" onPress={() => setRevoking(true)}>
          Revoke
        </Button>
      )}
      <FormProblem problem={renew.error} />
      {revoking && <Revoke path={path} name={certificate.names[0]!} onClose={() => setRevoking(false)} />}
    </>
  );
}

function Revoke({ path, name, onClose }: { path: string; name: string; onClose: () => void }) {
  const [reason, setReason] = useState('unspecified');
  const [replace, setReplace] = useState(true);
  const revoke = useChange();
  return (
    <Confirm
      title={`Revoke the certificate of ${name}`}
      consequence={
        replace
          ? 'A new certificate is got first; then this one is withdrawn everywhere and its CA is told. This cannot be undone.'
          : 'It is withdrawn everywhere at once and its CA is told: visitors of its names get no HTTPS until a new one is asked for. This cannot be undone.'
      }
      action="Revoke"
      word={name}
      open
      busy={revoke.isPending}
      problem={revoke.error}
      onClose={onClose}
      onConfirm={() =>
        revoke.mutate({
          method: 'POST',
          path: `${path}/revoke`,
          body: { reason, replace, confirm: name },
          onDone: onClose,
        })
      }
    >
      <Choice label="Reason" value={reason} onChange={setReason} options={REASONS} />
      <Check checked={replace} onChange={setReplace}>
        Get a replacement
      </Check>
    </Confirm>
  );
}

function Details({ path, certificate }: { path: string; certificate: CertificateDetail }) {
  const { data: events = [] } = useDocument<CertificateEvent[]>(`${path}/events`);
  return (
    <>
      <Why why={certificate.why} />
      <div className="grid">
        <section className="card">
          <header>
            <h2>Served</h2>
            <Status word={certificate.status} />
          </header>
          {certificate.served === null ? (
            <p className="quiet">Nothing is served.</p>
          ) : (
            <Facts version={certificate.served} keyType={certificate.key_type} challenge={certificate.challenge} />
          )}
          <dl className="facts">
            <dt>Names</dt>
            <dd>{certificate.names.join(', ')}</dd>
            <dt>Needed by</dt>
            <dd>{certificate.references.join(', ') || 'nobody: it is not renewed, and is removed after a while'}</dd>
            <dt>Issuers</dt>
            <dd>{certificate.issuers.join(', then ')}</dd>
          </dl>
          {certificate.served !== null && (
            <div>
              <a className="button small" href={`/api/v1${path}/chain.pem`} download>
                Download the chain
              </a>
            </div>
          )}
        </section>
        <ServedAgainstIssued certificate={certificate} />
        <section className="card">
          <h2>History</h2>
          <Timeline events={events} />
        </section>
      </div>
      {certificate.versions.length > 1 && (
        <section className="card flush">
          <Versions versions={certificate.versions} />
        </section>
      )}
    </>
  );
}

function ServedAgainstIssued({ certificate: { served, findings } }: { certificate: CertificateDetail }) {
  return (
    <section className="card" aria-label="Served against issued">
      <h2>Served against issued</h2>
      {findings.length === 0 ? (
        <p className="quiet">
          {served === null
            ? 'There is nothing to compare yet.'
            : 'No look at its names found anything else than what was issued. They are looked at after each delivery and every hour.'}
        </p>
      ) : (
        findings.map(({ publisher, name, kind, detail, since, advice }) => (
          <div key={`${publisher} ${name} ${kind}`} className="notice bad">
            <strong>
              {name} at {publisher}
            </strong>
            <span>
              {detail}, since <Time at={since} />
            </span>
            <span>What to do: {advice}</span>
          </div>
        ))
      )}
    </section>
  );
}

function Facts({ version, keyType, challenge }: { version: CertificateVersion; keyType: string; challenge: string }) {
  return (
    <dl className="facts">
      <dt>Issued by</dt>
      <dd>
        {version.issuer_name} {version.staging && <StagingMark />}
      </dd>
      <dt>Since</dt>
      <dd>
        <Time at={version.not_before} />
      </dd>
      <dt>Ends</dt>
      <dd>
        <Time at={version.not_after} />
      </dd>
      <dt>Key</dt>
      <dd>{keyType}</dd>
      <dt>Challenge</dt>
      <dd>{challenge}</dd>
      <dt>Serial</dt>
      <dd className="mono">{version.serial}</dd>
      <dt>SHA-256</dt>
      <dd className="mono">{version.fingerprint_sha256}</dd>
    </dl>
  );
}

function Versions({ versions }: { versions: readonly CertificateVersion[] }) {
  return (
    <table className="rows">
      <thead>
        <tr>
          <th scope="col">Issued</th>
          <th scope="col">By</th>
          <th scope="col">Ends</th>
          <th scope="col">State</th>
        </tr>
      </thead>
      <tbody>
        {versions.map((version) => (
          <tr key={version.id}>
            <td data-label="Issued">
              <Time at={version.issued_at} />
            </td>
            <td data-label="By">
              {version.issuer_name} {version.staging && <StagingMark />}
            </td>
            <td data-label="Ends">
              <Time at={version.not_after} />
            </td>
            <td data-label="State">{version.revoked_at === null ? 'good' : `revoked: ${version.revocation_reason}`}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

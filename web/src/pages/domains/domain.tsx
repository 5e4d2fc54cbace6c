import { useState } from 'react';
import { Button } from 'react-aria-components';
import { Link } from 'wouter';
import type { CertificateEvent, Domain } from '../../api/documents.ts';
import { useChange, useDocument } from '../../api/hooks.ts';
import { useMay } from '../../api/session.tsx';
import { CopyLine } from '../../components/copy.tsx';
import { Confirm } from '../../components/dialog.tsx';
import { FormProblem } from '../../components/form.tsx';
import { Loaded } from '../../components/states.tsx';
import { StagingMark, Status } from '../../components/status.tsx';
import { Coming, Time } from '../../components/time.tsx';
import { Timeline } from '../../components/timeline.tsx';
import { Why } from '../../components/why.tsx';
import { Page } from '../../shell/page.tsx';
import { ClusterFacts } from './cluster-facts.tsx';

export function DomainPage({ app, domain }: { app: string; domain: string }) {
  const path = `/apps/${encodeURIComponent(app)}/domains/${encodeURIComponent(domain)}`;
  const query = useDocument<Domain>(path);
  return (
    <Page title={domain} lead={<Link href="/">All domains</Link>} actions={<Actions path={path} domain={domain} />}>
      <Loaded query={query}>{(document) => <Details domain={document} />}</Loaded>
    </Page>
  );
}

function Actions({ path, domain }: { path: string; domain: string }) {
  const may = useMay('apps.manage');
  const verify = useChange();
  const remove = useChange();
  const [removing, setRemoving] = useState(false);
  if (!may) return null;
  return (
    <>
      <Button
        className="button"
        isDisabled={verify.isPending}
        onPress={() => verify.mutate({ method: 'POST', path: `${path}/verify` })}
      >
        {verify.isPending ? 'Looking…' : 'Check again now'}
      </Button>
      <Button className="button danger" onPress={() => setRemoving(true)}>
        Remove
      </Button>
      <FormProblem problem={verify.error} />
      <Confirm
        title={`Remove ${domain}`}
        consequence="Its route is withdrawn at once, so visitors get no answer. Its certificate is no longer renewed."
        action="Remove"
        word={domain}
        open={removing}
        busy={remove.isPending}
        problem={remove.error}
        onClose={() => setRemoving(false)}
        onConfirm={() =>
          remove.mutate({ method: 'DELETE', path, onDone: () => window.location.assign('/app/domains') })
        }
      />
    </>
  );
}

function Details({ domain }: { domain: Domain }) {
  const { dns, certificate, cluster_certificate: cluster } = domain;
  return (
    <>
      <Why why={domain.why} />
      <div className="grid">
        <section className="card">
          <header>
            <h2>HTTPS</h2>
            <Status word={domain.tls_status} />
          </header>
          {cluster !== null && <ClusterFacts certificate={cluster} />}
          {domain.on_demand && <p className="quiet">{onDemandWords(domain)}</p>}
          {certificate?.served == null ? (
            cluster === null && !domain.on_demand && <p className="quiet">Nothing is served yet.</p>
          ) : (
            <dl className="facts">
              <dt>Issued by</dt>
              <dd>
                {certificate.served.issuer_name} {certificate.served.staging && <StagingMark />}
              </dd>
              <dt>Ends</dt>
              <dd>
                <Time at={certificate.served.not_after} />
              </dd>
              <dt>Certificate</dt>
              <dd>
                <Link href={`~/app/system/acme/certificates/${certificate.id}`}>{certificate.names.join(', ')}</Link>
              </dd>
            </dl>
          )}
          {certificate !== null && <Steps certificateId={certificate.id} />}
        </section>
        <section className="card">
          <header>
            <h2>DNS</h2>
            <Status word={dns.state} />
          </header>
          <p>{dns.summary}</p>
          {dns.expected.map((record) => (
            <div key={record.line}>
              <p className="quiet">{record.purpose}</p>
              <CopyLine text={record.line} label={`${record.type} record`} />
            </div>
          ))}
          {dns.answers.length > 0 && <Answers answers={dns.answers} />}
          {dns.cdn !== null && <p className="quiet">{dns.cdn} answers in front of this name.</p>}
          {dns.caa.detail !== null && <p className="quiet">CAA: {dns.caa.detail}</p>}
          <p className="quiet">
            Looked <Time at={dns.looked_at} />
            {dns.next_look_at !== null && (
              <>
                , again <Coming at={dns.next_look_at} />
              </>
            )}
          </p>
        </section>
      </div>
      {domain.troubleshooting.length > 0 && (
        <section className="card">
          <h2>If it does not come right</h2>
          {domain.troubleshooting.map(({ symptom, likely_cause, recovery }) => (
            <div key={symptom}>
              <h3>{symptom}</h3>
              <p>{likely_cause}</p>
              <p className="quiet">{recovery}</p>
            </div>
          ))}
        </section>
      )}
    </>
  );
}

const onDemandWords = ({ certificate }: Domain) =>
  certificate === null
    ? 'Claimed on demand: its certificate is got when the first visitor comes.'
    : 'Claimed on demand.';

function Answers({ answers }: { answers: Domain['dns']['answers'] }) {
  return (
    <table className="rows">
      <thead>
        <tr>
          <th scope="col">Asked</th>
          <th scope="col">Answer</th>
        </tr>
      </thead>
      <tbody>
        {answers.map(({ view, server, addresses, cname, problem }) => (
          <tr key={`${view} ${server}`}>
            <td data-label="Asked">
              {view} <span className="quiet mono">{server}</span>
            </td>
            <td data-label="Answer" className="mono">
              {problem ?? ([...cname, ...addresses].join(' → ') || 'nothing')}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Steps({ certificateId }: { certificateId: string }) {
  const may = useMay('system.acme.read');
  const path = `/system/acme_certificates/${certificateId}/events`;
  const { data: events = [] } = useDocument<CertificateEvent[]>(may ? path : undefined);
  return <Timeline events={events.slice(-8)} />;
}

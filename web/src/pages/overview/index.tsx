import { Link } from 'wouter';
import type { Certificate, SystemStatus } from '../../api/documents.ts';
import { useDocument } from '../../api/hooks.ts';
import { useMay } from '../../api/session.tsx';
import { Empty, Loaded } from '../../components/states.tsx';
import { Status } from '../../components/status.tsx';
import { Time } from '../../components/time.tsx';
import { Page } from '../../shell/page.tsx';
import { Runway } from './runway.tsx';

/** What a person wants to know at a glance; what needs one comes first. */
export default function Overview() {
  const may = useMay('system.acme.read');
  const status = useDocument<SystemStatus>(may ? '/status' : undefined);
  return (
    <Page title="Overview">
      {may ? (
        <Loaded query={status}>{(document) => <Sections status={document} />}</Loaded>
      ) : (
        <Empty title="Welcome">
          <p>Your token does not show certificates. Your apps are under Domains.</p>
        </Empty>
      )}
    </Page>
  );
}

function Sections({ status }: { status: SystemStatus }) {
  const { certificates } = status;
  const good = (certificates.valid ?? 0) + (certificates.renewing ?? 0);
  const waiting = (certificates.pending ?? 0) + (certificates.issuing ?? 0);
  const bad = (certificates.failed ?? 0) + (certificates.expired ?? 0);
  return (
    <>
      <Attention certificates={status.needs_attention} />
      <div className="grid small">
        <Count title="Good certificates" count={good} href="/app/system/acme/certificates?status=valid" />
        <Count title="Under way" count={waiting} href="/app/system/acme/certificates?status=issuing" />
        <Count title="Failed or expired" count={bad} href="/app/system/acme/certificates?status=failed" />
        <Count title="Domains" count={status.domains.total} href="/app/domains" />
        <Count title="Apps" count={status.apps} href="/app/domains" />
      </div>
      <div className="grid">
        <section className="card">
          <h2>Ending within 30 days</h2>
          <Runway certificates={status.ending_soon} now={Date.parse(status.time)} />
        </section>
        <section className="card">
          <h2>Quota</h2>
          <Quotas issuers={status.issuers} />
        </section>
      </div>
    </>
  );
}

function Attention({ certificates }: { certificates: readonly Certificate[] }) {
  if (certificates.length === 0)
    return (
      <div className="notice good">
        <strong>Nothing needs you.</strong>
        <span>Every certificate is good or on its way.</span>
      </div>
    );
  return (
    <section className="card" aria-label="Needs a person">
      <header>
        <h2>Needs a person</h2>
        <span className="quiet">{certificates.length}</span>
      </header>
      {certificates.map(({ id, names, status, why }) => (
        <div key={id} className="notice bad">
          <div className="actions">
            <Link href={`/app/system/acme/certificates/${id}`}>
              <strong>{names.join(', ')}</strong>
            </Link>
            <Status word={status} />
          </div>
          <span>{why.problem?.detail ?? why.summary}</span>
          {why.advice !== null && <span>What to do: {why.advice}</span>}
          {why.next_attempt_at !== null && (
            <span className="quiet">
              Next attempt <Time at={why.next_attempt_at} />
            </span>
          )}
        </div>
      ))}
    </section>
  );
}

function Count({ title, count, href }: { title: string; count: number; href: string }) {
  return (
    <Link href={href} className="card count">
      <span className="stat">{count.toLocaleString('en')}</span>
      <span className="quiet">{title}</span>
    </Link>
  );
}

function Quotas({ issuers }: { issuers: SystemStatus['issuers'] }) {
  const used = issuers.flatMap(({ id, quota }) => quota.map((limit) => ({ ...limit, issuer: id })));
  if (used.length === 0) return <p className="quiet">No issuer with published limits has been used.</p>;
  return used.map((quota) => (
    <div key={`${quota.issuer} ${quota.limit} ${quota.scope}`}>
      <strong>
        {quota.most - quota.used} of {quota.most} left
      </strong>{' '}
      <span>
        {quota.limit} for {quota.scope}
      </span>
      <div className="quiet">
        {quota.issuer}, until <Time at={quota.resets_at} />
      </div>
    </div>
  ));
}

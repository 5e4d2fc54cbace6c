import { Link } from 'wouter';
import type { SystemStatus } from '../../api/documents.ts';
import { useDocument } from '../../api/hooks.ts';
import { useMay } from '../../api/session.tsx';
import { Empty, Loaded } from '../../components/states.tsx';
import { Page } from '../../shell/page.tsx';
import { Attention } from './attention.tsx';
import { Publishers } from './publishers.tsx';
import { Quotas } from './quotas.tsx';
import { Renewals } from './renewals.tsx';
import { Runway } from './runway.tsx';
import { Handshakes, Traffic } from './traffic.tsx';

/** What a person wants to know at a glance; what needs one comes first. */
export default function Overview() {
  const may = useMay('system.acme.read');
  const status = useDocument<SystemStatus>(may ? '/status' : undefined, 10_000);
  return (
    <Page title="Overview">
      {may ? (
        <Loaded query={status}>{(document) => <Sections status={document} />}</Loaded>
      ) : (
        <Empty title="Welcome">
          <p>
            Your token does not show certificates. Your apps are under <Link href="/app/domains">Domains</Link>.
          </p>
        </Empty>
      )}
    </Page>
  );
}

function Sections({ status }: { status: SystemStatus }) {
  const { certificates } = status;
  const sum = (...words: string[]) => words.reduce((total, word) => total + (certificates[word] ?? 0), 0);
  const list = (status: string) => `/app/system/acme/certificates?status=${status}`;
  return (
    <>
      <Attention status={status} />
      <div className="counts">
        <Count title="Good certificates" count={sum('valid', 'renewing')} href={list('valid')} tone="good" />
        <Count title="Under way" count={sum('pending', 'issuing')} href={list('issuing')} tone="busy" />
        <Count title="Failed or expired" count={sum('failed', 'expired')} href={list('failed')} tone="bad" />
        <Count title="Domains" count={status.domains.total} href="/app/domains" />
        <Count title="Apps" count={status.apps} href="/app/domains" />
      </div>
      <div className="grid wide">
        <section className="card">
          <h2>Runway</h2>
          <Runway runway={status.runway} />
        </section>
        <section className="card">
          <h2>Next renewals</h2>
          <Renewals certificates={status.next_renewals} />
        </section>
        <section className="card">
          <h2>Edge</h2>
          <Traffic edge={status.edge} />
        </section>
        <section className="card">
          <h2>Handshakes</h2>
          <Handshakes edge={status.edge} />
        </section>
        <section className="card">
          <h2>Publishers</h2>
          <Publishers publishers={status.publishers} />
        </section>
        <section className="card">
          <h2>Quota</h2>
          <Quotas issuers={status.issuers} />
        </section>
      </div>
    </>
  );
}

function Count({ title, count, href, tone = 'idle' }: { title: string; count: number; href: string; tone?: string }) {
  return (
    <Link href={href} className={`card count ${count > 0 ? tone : ''}`}>
      <span className="stat">{count.toLocaleString('en')}</span>
      <span className="quiet">{title}</span>
    </Link>
  );
}

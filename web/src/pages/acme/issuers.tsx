import { useState } from 'react';
import { Button } from 'react-aria-components';
import type { Issuer } from '../../api/documents.ts';
import { useList } from '../../api/hooks.ts';
import { useMay } from '../../api/session.tsx';
import { Loaded } from '../../components/states.tsx';
import { StagingMark } from '../../components/status.tsx';
import { Time } from '../../components/time.tsx';
import { Page, Tabs } from '../../shell/page.tsx';
import { NewIssuer } from './new-issuer.tsx';
import { ACME_TABS } from './tabs.ts';

export function IssuerList() {
  const may = useMay('system.acme.manage');
  const issuers = useList<Issuer>('/system/issuers');
  const [adding, setAdding] = useState(false);
  return (
    <Page
      title="Issuers"
      lead="Where certificates come from, and how much of each one's limits is used."
      actions={
        may && (
          <Button className="button primary" onPress={() => setAdding(true)}>
            Add an issuer
          </Button>
        )
      }
    >
      <Tabs label="ACME" tabs={ACME_TABS} />
      <Loaded query={issuers}>
        {() => (
          <div className="grid">
            {issuers.rows.map((issuer) => (
              <IssuerCard key={issuer.id} issuer={issuer} />
            ))}
          </div>
        )}
      </Loaded>
      {adding && <NewIssuer onClose={() => setAdding(false)} />}
    </Page>
  );
}

function IssuerCard({ issuer }: { issuer: Issuer }) {
  return (
    <section className="card">
      <header>
        <h2>{issuer.id}</h2>
        {issuer.staging && <StagingMark />}
      </header>
      <dl className="facts">
        <dt>Directory</dt>
        <dd className="mono">{issuer.directory}</dd>
        <dt>Account</dt>
        <dd className="mono">{issuer.account_url ?? 'none yet'}</dd>
        {issuer.profile !== null && (
          <>
            <dt>Profile</dt>
            <dd>{issuer.profile}</dd>
          </>
        )}
      </dl>
      {issuer.quota.map((quota) => (
        <div key={`${quota.limit} ${quota.scope}`}>
          <label>
            {quota.limit} <span className="quiet">{quota.scope}</span>
            <meter min={0} max={quota.most} high={quota.most * 0.8} value={quota.used} />
          </label>
          <p className="quiet">
            {quota.most - quota.used} of {quota.most} left, until <Time at={quota.resets_at} />
          </p>
        </div>
      ))}
    </section>
  );
}

import { useState } from 'react';
import { Button } from 'react-aria-components';
import { Link } from 'wouter';
import type { App, Domain } from '../../api/documents.ts';
import { useList } from '../../api/hooks.ts';
import { useMay } from '../../api/session.tsx';
import { Choice } from '../../components/choice.tsx';
import { useFilter } from '../../components/filter.ts';
import { Field } from '../../components/form.tsx';
import { Empty, Failure, Loading } from '../../components/states.tsx';
import { Status } from '../../components/status.tsx';
import { Time } from '../../components/time.tsx';
import { VirtualList } from '../../components/virtual-list.tsx';
import { Page } from '../../shell/page.tsx';
import { AddDomain } from './add.tsx';
import { ImportDomains } from './import.tsx';

const STATUSES = [
  { id: '', title: 'Any status' },
  { id: 'failed', title: 'Failed' },
  { id: 'pending', title: 'Pending' },
  { id: 'renewing', title: 'Renewing' },
  { id: 'issued', title: 'Issued' },
];

export function DomainList() {
  const may = useMay('apps.manage');
  const [filter, change] = useFilter();
  const [adding, setAdding] = useState(false);
  const [importing, setImporting] = useState(false);
  const prefix = filter('name');
  const status = filter('status');
  const apps = useList<App>('/apps');
  const domains = useList<Domain>('/domains', { prefix, tls_status: status });
  return (
    <Page
      title="Domains"
      lead="Names that your apps answer to. Each gets its certificate by itself, once its DNS points here."
      actions={
        may && (
          <>
            {apps.rows.length > 0 && (
              <Button className="button" onPress={() => setImporting(true)}>
                Import
              </Button>
            )}
            <Button className="button primary" onPress={() => setAdding(true)}>
              Add a domain
            </Button>
          </>
        )
      }
    >
      <div className="toolbar">
        <div className="grow">
          <Field
            label="Name begins with"
            value={prefix}
            onChange={(value) => change('name', value)}
            placeholder="shop."
          />
        </div>
        <Choice label="Status" value={status} onChange={(value) => change('status', value)} options={STATUSES} />
      </div>
      {domains.error !== null && domains.rows.length === 0 && (
        <Failure problem={domains.error} retry={() => void domains.refetch()} />
      )}
      {domains.isPending && <Loading />}
      {domains.isSuccess && domains.rows.length === 0 && (
        <Empty title={prefix === '' && status === '' ? 'No domain yet' : 'No domain is like that'}>
          {may && prefix === '' && status === '' && (
            <Button className="button primary" onPress={() => setAdding(true)}>
              Add the first
            </Button>
          )}
        </Empty>
      )}
      {domains.rows.length > 0 && (
        <VirtualList
          label="Domains"
          rows={domains.rows}
          rowKey={(row) => row.id}
          columns="minmax(0, 2.2fr) minmax(84px, 0.7fr) minmax(0, 1fr) minmax(0, 0.8fr)"
          head={['Name', 'HTTPS', 'App', 'Ends']}
          more={domains.hasNextPage ? () => void domains.fetchNextPage() : undefined}
          render={(row) => (
            <>
              <Link href={`/${row.app.id}/${encodeURIComponent(row.domain)}`}>{row.unicode}</Link>
              <Status word={row.tls_status} />
              <span className="narrow-hide">{row.app.name}</span>
              <span className="narrow-hide">
                <Time at={row.certificate?.served?.not_after ?? row.cluster_certificate?.not_after} />
              </span>
            </>
          )}
        />
      )}
      {importing && <ImportDomains apps={apps.rows} onClose={() => setImporting(false)} />}
      {adding && <AddDomain apps={apps.rows} onClose={() => setAdding(false)} />}
    </Page>
  );
}

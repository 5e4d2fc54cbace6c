import { useState } from 'react';
import { Button } from 'react-aria-components';
import { Link } from 'wouter';
import type { AcmeAccount, AcmeOrder } from '../../api/documents.ts';
import { useChange, useDocument, useList } from '../../api/hooks.ts';
import { useMay } from '../../api/session.tsx';
import { Confirm } from '../../components/dialog.tsx';
import { Empty, Loaded } from '../../components/states.tsx';
import { Status } from '../../components/status.tsx';
import { Time } from '../../components/time.tsx';
import { VirtualList } from '../../components/virtual-list.tsx';
import { Page } from '../../shell/page.tsx';

/** One client's account at our ACME server, and what it ordered. */
export function AccountPage({ id }: { id: string }) {
  const path = `/system/acme_accounts/${encodeURIComponent(id)}`;
  const account = useDocument<AcmeAccount>(path);
  const orders = useList<AcmeOrder>(`${path}/orders`);
  return (
    <Page
      title="Account"
      lead={<Link href="/accounts">All accounts</Link>}
      actions={account.data?.status === 'valid' && <Deactivate path={path} />}
    >
      <Loaded query={account}>
        {(document) => (
          <section className="card">
            <header>
              <h2 className="mono">{document.id}</h2>
              <Status word={document.status} />
            </header>
            <dl className="facts">
              <dt>Profile</dt>
              <dd>{document.profile}</dd>
              <dt>Contact</dt>
              <dd>{document.contact.join(', ') || 'none'}</dd>
              <dt>External account key</dt>
              <dd className="mono">{document.eab_key ?? 'none'}</dd>
              <dt>Key thumbprint</dt>
              <dd className="mono">{document.thumbprint}</dd>
              <dt>Since</dt>
              <dd>
                <Time at={document.created_at} />
              </dd>
            </dl>
          </section>
        )}
      </Loaded>
      <Loaded query={orders}>
        {() =>
          orders.rows.length === 0 ? (
            <Empty title="It has ordered nothing" />
          ) : (
            <VirtualList
              label="Orders"
              rows={orders.rows}
              rowKey={(row) => row.id}
              columns="minmax(0, 2fr) minmax(92px, 0.7fr) minmax(0, 1.6fr) minmax(0, 0.8fr)"
              head={['Names', 'Status', 'Outcome', 'Ordered']}
              more={orders.hasNextPage ? () => void orders.fetchNextPage() : undefined}
              render={(row) => (
                <>
                  <span title={row.names.join(', ')}>{row.names.join(', ')}</span>
                  <Status word={row.status} />
                  <span className="narrow-hide" title={row.problem ?? ''}>
                    {row.problem ?? (row.certificate_serial === null ? '–' : `serial ${row.certificate_serial}`)}
                  </span>
                  <span className="narrow-hide">
                    <Time at={row.created_at} />
                  </span>
                </>
              )}
            />
          )
        }
      </Loaded>
    </Page>
  );
}

function Deactivate({ path }: { path: string }) {
  const may = useMay('system.acme.manage');
  const [open, setOpen] = useState(false);
  const change = useChange();
  if (!may) return null;
  return (
    <>
      <Button className="button danger" onPress={() => setOpen(true)}>
        Deactivate
      </Button>
      <Confirm
        title="Deactivate this account"
        consequence="Its client can order, renew and revoke nothing any more, for ever. Certificates that it has stay good."
        action="Deactivate"
        open={open}
        busy={change.isPending}
        problem={change.error}
        onClose={() => setOpen(false)}
        onConfirm={() => change.mutate({ method: 'DELETE', path, onDone: () => setOpen(false) })}
      />
    </>
  );
}

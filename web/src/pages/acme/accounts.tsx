import { Link } from 'wouter';
import type { AcmeAccount } from '../../api/documents.ts';
import { useList } from '../../api/hooks.ts';
import { Empty, Failure, Loading } from '../../components/states.tsx';
import { Status } from '../../components/status.tsx';
import { Time } from '../../components/time.tsx';
import { VirtualList } from '../../components/virtual-list.tsx';
import { Page, Tabs } from '../../shell/page.tsx';
import { ACME_TABS } from './tabs.ts';

/** Accounts of other people's clients at our ACME server. */
export function Accounts() {
  const accounts = useList<AcmeAccount>('/system/acme_accounts');
  return (
    <Page title="Accounts" lead="Clients that have registered with our ACME server.">
      <Tabs label="ACME" tabs={ACME_TABS} />
      {accounts.error !== null && accounts.rows.length === 0 && (
        <Failure problem={accounts.error} retry={() => void accounts.refetch()} />
      )}
      {accounts.isPending && <Loading />}
      {accounts.isSuccess && accounts.rows.length === 0 && <Empty title="No account yet" />}
      {accounts.rows.length > 0 && (
        <VirtualList
          label="Accounts"
          rows={accounts.rows}
          rowKey={(row) => row.id}
          columns="minmax(0, 1.6fr) minmax(0, 1fr) minmax(92px, 0.7fr) minmax(0, 1.2fr) minmax(0, 0.8fr)"
          head={['Account', 'Profile', 'Status', 'Contact', 'Since']}
          more={accounts.hasNextPage ? () => void accounts.fetchNextPage() : undefined}
          render={(row) => (
            <>
              <Link href={`/accounts/${row.id}`} className="mono">
                {row.id}
              </Link>
              <span className="narrow-hide">{row.profile}</span>
              <Status word={row.status} />
              <span className="narrow-hide">{row.contact.join(', ')}</span>
              <span className="narrow-hide">
                <Time at={row.created_at} />
              </span>
            </>
          )}
        />
      )}
    </Page>
  );
}

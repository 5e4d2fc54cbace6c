import { type AcmeAccountRow, findAccount, listAccounts, updateAccount } from '../store/acme-accounts.ts';
import { appendAudit } from '../store/audit.ts';
import type { AcmeAdministration, AdministrationDeps } from './administration.ts';
import { fail } from './administration-faults.ts';
import { viewOrders } from './order-view.ts';

export interface AccountView {
  readonly id: string;
  readonly profile: string;
  readonly status: AcmeAccountRow['status'];
  readonly contact: readonly string[];
  /** RFC 7638 thumbprint of its key. */
  readonly thumbprint: string;
  readonly eab_key?: string;
  readonly created_at: number;
}

type Accounts = Pick<AcmeAdministration, 'listAccounts' | 'getAccount' | 'deactivateAccount' | 'listOrders'>;

export function administerAccounts({ store, clock }: AdministrationDeps): Accounts {
  return {
    async listAccounts(filter, page) {
      return (await listAccounts(store.db, filter, page)).map(accountView);
    },
    listOrders: (accountId, page) => viewOrders(store.db, accountId, page, clock.now()),
    async getAccount(id) {
      return accountView((await findAccount(store.db, id)) ?? fail('not_found', 404, `there is no account ${id}`));
    },
    async deactivateAccount(id, actor) {
      const row = (await findAccount(store.db, id)) ?? fail('not_found', 404, `there is no account ${id}`);
      await store.write(async (tx) => {
        // By its operator an account is revoked; deactivated is what its owner does (RFC 8555 §7.1.6).
        if (!(await updateAccount(tx, id, { status: 'revoked' }))) return;
        await appendAudit(tx, {
          actor,
          action: 'acme_account.revoke',
          resource: `acme_account:${id}`,
          facts: { profile: row.profile_id },
          at: clock.now(),
        });
      });
      return accountView((await findAccount(store.db, id))!);
    },
  };
}

const accountView = (row: AcmeAccountRow): AccountView => ({
  id: row.id,
  profile: row.profile_id,
  status: row.status,
  contact: JSON.parse(row.contact) as string[],
  thumbprint: row.thumbprint,
  ...(row.eab_key_id !== null && { eab_key: row.eab_key_id }),
  created_at: row.created_at,
});

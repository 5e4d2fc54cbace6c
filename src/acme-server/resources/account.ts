import type { AccountObject } from '../../acme/index.ts';
import { isId } from '../../base/index.ts';
import { type AcmeAccountRow, findAccount, updateAccount } from '../../store/acme-accounts.ts';
import { listOrderIds } from '../../store/acme-orders.ts';
import { appendAudit } from '../../store/audit.ts';
import { isPostAsGet, payloadOf, type Resource, requirePostAsGet } from '../call.ts';
import { parseContacts } from '../contact.ts';
import type { Profile } from '../profile.ts';
import { Refusal } from '../refusal.ts';
import type { ProfileUrls } from '../urls.ts';

export function accountObject(row: AcmeAccountRow, urls: ProfileUrls): AccountObject {
  const contact = JSON.parse(row.contact) as string[];
  return {
    status: row.status,
    ...(contact.length > 0 && { contact }),
    ...(row.terms_agreed_at !== null && { termsOfServiceAgreed: true }),
    orders: urls.orders(row.id),
  };
}

/** RFC 8555 §7.3.2, §7.3.3, §7.3.6: read, update, agree, deactivate. */
export const account: Resource = {
  auth: 'kid',
  async answer(call) {
    const { services, urls, parameters, now } = call;
    if (parameters[0] !== call.account.id) throw new Refusal('unauthorized', 'this is another account');
    if (isPostAsGet(call)) return { status: 200, body: accountObject(call.account, urls) };
    const payload = payloadOf(call);
    const changes = accountChanges(payload, call.profile, now);
    const row = await services.store.write(async (tx) => {
      if (Object.keys(changes).length > 0) {
        if (!(await updateAccount(tx, call.account.id, changes)))
          throw new Refusal('unauthorized', 'this account is not valid any more');
        await appendAudit(tx, {
          actor: `acme:${call.account.id}`,
          action: changes.status === 'deactivated' ? 'acme_account.deactivate' : 'acme_account.update',
          resource: `acme_account:${call.account.id}`,
          facts: { profile: call.profile.id, changed: Object.keys(changes) },
          at: now,
        });
      }
      return (await findAccount(tx, call.account.id))!;
    });
    return { status: 200, body: accountObject(row, urls) };
  },
};

/** Fields that a client may not set are ignored, as RFC 8555 §7.3.2 says. */
function accountChanges(
  payload: Record<string, unknown>,
  { settings }: Profile,
  now: number,
): Partial<Pick<AcmeAccountRow, 'contact' | 'terms_agreed_at' | 'terms_url' | 'status'>> {
  if (payload.status === 'deactivated') return { status: 'deactivated' };
  if (payload.status !== undefined && payload.status !== 'valid')
    throw new Refusal('malformed', 'status can only be set to deactivated');
  return {
    ...(payload.contact !== undefined && { contact: JSON.stringify(parseContacts(payload.contact)) }),
    ...(payload.termsOfServiceAgreed === true && {
      terms_agreed_at: now,
      terms_url: settings.terms_of_service ?? null,
    }),
  };
}

const PAGE = 100;

/** RFC 8555 §7.1.2.1, a page at a time. */
export const accountOrders: Resource = {
  auth: 'kid',
  async answer(call) {
    requirePostAsGet(call);
    const { services, urls, parameters, query } = call;
    if (parameters[0] !== call.account.id) throw new Refusal('unauthorized', 'this is another account');
    const after = new URLSearchParams(query).get('after') ?? undefined;
    if (after !== undefined && !isId('ord', after)) throw new Refusal('malformed', 'after is not the id of an order');
    const ids = await listOrderIds(services.store.db, call.account.id, { after, limit: PAGE + 1 });
    const page = ids.slice(0, PAGE);
    const next = `<${urls.orders(call.account.id)}?after=${page.at(-1)}>;rel="next"`;
    return {
      status: 200,
      ...(ids.length > PAGE && { headers: { Link: [next] } }),
      body: { orders: page.map((id) => urls.order(id)) },
    };
  },
};

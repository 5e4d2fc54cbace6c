import type { AuthorizationObject } from '../../acme/index.ts';
import { findAuthorization, moveAuthorization } from '../../store/acme-authorizations.ts';
import { moveOrder } from '../../store/acme-orders.ts';
import { appendAudit } from '../../store/audit.ts';
import { authorizationObject, bareIdentifier } from '../authorizations.ts';
import { type AccountCall, isPostAsGet, payloadOf, type Resource } from '../call.ts';
import type { Answer } from '../http.ts';
import { requireOrder } from '../orders.ts';
import { Refusal } from '../refusal.ts';
import { orderStatus } from '../status.ts';

/** RFC 8555 §7.5, §7.5.2: read and deactivate. */
export const authorization: Resource = {
  auth: 'kid',
  async answer(call) {
    const id = call.parameters[0]!;
    const dot = id.indexOf('.');
    const deactivates = !isPostAsGet(call);
    if (deactivates && payloadOf(call).status !== 'deactivated')
      throw new Refusal('malformed', 'an authorization can only be deactivated: {"status": "deactivated"}');
    return dot < 0
      ? stored(call, id, deactivates)
      : trusted(call, id.slice(0, dot), Number(id.slice(dot + 1)), deactivates);
  },
};

async function stored(call: AccountCall, id: string, deactivates: boolean): Promise<Answer> {
  const { services, account, now } = call;
  const row = await findAuthorization(services.store.db, id);
  if (row === undefined || row.account_id !== account.id)
    throw new Refusal('malformed', 'this account has no such authorization', { status: 404 });
  if (!deactivates || (row.state !== 'pending' && row.state !== 'valid'))
    return {
      status: 200,
      body: authorizationObject(row, call),
      // Seconds are the smallest unit there is, so one that only just began names none: most are done in milliseconds.
      ...(row.processing_since !== null && now - row.processing_since >= 500 && { headers: { 'Retry-After': '1' } }),
    };
  await services.store.write(async (tx) => {
    if (!(await moveAuthorization(tx, row, { state: 'deactivated', processing_since: null })))
      throw new Refusal('malformed', 'the authorization changed meanwhile; look again');
    await appendAudit(tx, {
      actor: `acme:${account.id}`,
      action: 'acme_authorization.deactivate',
      resource: `acme_authorization:${id}`,
      facts: { profile: call.profile.id, identifier: row.identifier },
      at: now,
    });
  });
  return { status: 200, body: authorizationObject({ ...row, state: 'deactivated' }, call) };
}

/** The authorization that a trusting profile gave with an order: it lives and ends with the order. */
async function trusted(call: AccountCall, orderId: string, index: number, deactivates: boolean): Promise<Answer> {
  const { services, account, urls, now } = call;
  const { row, identifiers } = await requireOrder(call, orderId);
  const identifier = identifiers[index];
  if (identifier === undefined || row.authorizations !== null)
    throw new Refusal('malformed', 'this account has no such authorization', { status: 404 });
  const open = orderStatus(row, [], now) === 'ready';
  if (deactivates && open)
    await services.store.write(async (tx) => {
      await moveOrder(tx, orderId, 'open', { state: 'invalid' });
      await appendAudit(tx, {
        actor: `acme:${account.id}`,
        action: 'acme_authorization.deactivate',
        resource: `acme_order:${orderId}`,
        facts: { profile: call.profile.id, identifier: identifier.value },
        at: now,
      });
    });
  const status =
    row.state === 'invalid' || (deactivates && open) ? 'deactivated' : now >= row.expires_at ? 'expired' : 'valid';
  const id = `${orderId}.${index}`;
  const body: AuthorizationObject = {
    identifier: bareIdentifier(identifier),
    status,
    expires: new Date(row.expires_at).toISOString(),
    // Clients expect one challenge at least (RFC 8555 §7.1.4), so the decision is shown as one that is done.
    challenges: [
      {
        type: identifier.value.startsWith('*.') ? 'dns-01' : 'http-01',
        url: urls.challenge(id, 'trusted'),
        status: 'valid',
        token: orderId,
        validated: new Date(row.created_at).toISOString(),
      },
    ],
    ...(identifier.value.startsWith('*.') && { wildcard: true }),
  };
  return { status: 200, body };
}

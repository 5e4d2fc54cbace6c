import { type Identifier, identifierKey } from '../../acme/index.ts';
import { newId } from '../../base/index.ts';
import { type AcmeAuthorizationRow, findReusable, insertAuthorizations } from '../../store/acme-authorizations.ts';
import { type AcmeOrderRow, countOpenOrders, insertOrder } from '../../store/acme-orders.ts';
import { atOnce } from '../../store/at-once.ts';
import { appendAudit } from '../../store/audit.ts';
import { bareIdentifier, planAuthorization } from '../authorizations.ts';
import { type AccountCall, payloadOf, type Resource } from '../call.ts';
import { settingsOf } from '../certificate-profile.ts';
import { type Entitlement, entitlementOf, requireAllowed } from '../entitlement.ts';
import { parseIdentifiers } from '../identifiers.ts';
import { rateLimited, spendOrRefuse } from '../limits.ts';
import { orderObject } from '../orders.ts';
import { Refusal } from '../refusal.ts';
import { claimReplacement, findReplaced, type Replaced } from '../replacement.ts';
import { requireCurrentTerms } from '../terms.ts';
import { caEnd, requestedValidity } from '../validity.ts';

/** RFC 8555 §7.4; `replaces` by RFC 9773 §5; `profile` by draft-ietf-acme-profiles. */
export const newOrder: Resource = {
  auth: 'kid',
  async answer(call) {
    const { profile, urls, account, now } = call;
    requireCurrentTerms(call);
    const payload = payloadOf(call);
    const identifiers = parseIdentifiers(payload.identifiers, profile.settings);
    const named = payload.profile ?? profile.id;
    if (typeof named !== 'string') throw new Refusal('malformed', 'profile is not a string');
    if (profile.settings.issuer !== undefined && (payload.notBefore !== undefined || payload.notAfter !== undefined))
      throw new Refusal('malformed', 'the CA before which this profile stands decides on notBefore and notAfter');
    const { notBefore, notAfter } = requestedValidity(payload, settingsOf(profile, named), caEnd(call), now);
    const entitlement = entitlementOf(profile, account, now);
    requireAllowed(identifiers, call, entitlement);
    const replaced = await findReplaced(call, payload.replaces, identifiers);
    const { rows, fresh } = await planAuthorizations(call, identifiers, entitlement);
    const row: AcmeOrderRow = {
      id: newId('ord', now),
      profile_id: profile.id,
      account_id: account.id,
      state: 'open',
      identifiers: JSON.stringify(identifiers),
      authorizations: entitlement.mode === 'trust' ? null : JSON.stringify(rows.map(({ id }) => id)),
      not_before: notBefore ?? null,
      not_after: notAfter ?? null,
      created_at: now,
      expires_at: now + profile.settings.order_ttl_seconds * 1000,
      error: null,
      certificate_serial: null,
      csr: null,
      replaces: (payload.replaces as string | undefined) ?? null,
      sub_profile: named,
    };
    await writeOrder(call, row, fresh, replaced);
    const body = orderObject({ row, identifiers, authorizations: rows }, urls, now);
    return { status: 201, headers: { Location: urls.order(row.id) }, body };
  },
};

async function planAuthorizations(
  { services, profile, account, now }: AccountCall,
  identifiers: readonly Identifier[],
  { mode }: Entitlement,
): Promise<{ rows: AcmeAuthorizationRow[]; fresh: AcmeAuthorizationRow[] }> {
  if (mode === 'trust') return { rows: [], fresh: [] };
  const bare = identifiers.map((identifier) => identifierKey(bareIdentifier(identifier)));
  // One that would end within the hour is proven anew, rather than failing the order half way.
  const reusable = await findReusable(services.store.db, account.id, bare, now + 3_600_000);
  const rows = identifiers.map((identifier, index) => {
    const wildcard = identifier.value.startsWith('*.') ? 1 : 0;
    return (
      reusable.find((row) => row.identifier === bare[index] && row.wildcard === wildcard) ??
      planAuthorization(identifier, profile.settings, { profileId: profile.id, accountId: account.id }, now)
    );
  });
  return { rows, fresh: rows.filter(({ state }) => state === 'pending') };
}

async function writeOrder(
  { services, profile, account, now }: AccountCall,
  row: AcmeOrderRow,
  fresh: readonly AcmeAuthorizationRow[],
  replaced: Replaced | undefined,
): Promise<void> {
  const { limits } = profile.settings;
  await services.store.write(async (tx) => {
    const [, open] = await atOnce(
      spendOrRefuse(tx, 'orders', account.id, limits, now),
      countOpenOrders(tx, account.id, now, limits.open_orders),
    );
    if (open >= limits.open_orders)
      throw rateLimited(
        'open_orders',
        `open orders of this account: at most ${limits.open_orders} at once`,
        now + 60_000,
        now,
      );
    if (replaced !== undefined) await claimReplacement(tx, replaced, row.id);
    await atOnce(
      insertAuthorizations(tx, fresh),
      insertOrder(tx, row),
      appendAudit(tx, {
        actor: `acme:${account.id}`,
        action: 'acme_order.create',
        resource: `acme_order:${row.id}`,
        facts: {
          profile: profile.id,
          identifiers: JSON.parse(row.identifiers) as unknown,
          ...(row.replaces && { replaces: row.replaces }),
        },
        at: now,
      }),
    );
  });
  services.metrics.count('gatehouse_acme_orders_total', { profile: profile.id, result: 'created' });
}

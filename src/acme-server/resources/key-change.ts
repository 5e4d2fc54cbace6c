import { jwkThumbprint } from '../../acme/index.ts';
import { findAccountByKey, replaceAccountKey } from '../../store/acme-accounts.ts';
import { appendAudit } from '../../store/audit.ts';
import type { Db } from '../../store/index.ts';
import { payloadOf, type Resource } from '../call.ts';
import { importAccountKey, parseJws, parseObject, requireStrongKey, verifyJws } from '../jws.ts';
import { spendOrRefuse } from '../limits.ts';
import { Refusal } from '../refusal.ts';
import { accountObject } from './account.ts';

/** RFC 8555 §7.3.5, every check of its list. */
export const keyChange: Resource = {
  auth: 'kid',
  async answer(call) {
    const { services, profile, urls, account, now } = call;
    const inner = parseJws(payloadOf(call), { nonce: 'absent' });
    if (inner.header.key.kind !== 'jwk') throw new Refusal('malformed', 'the inner JWS must have a jwk: the new key');
    if (inner.header.url !== call.jws.header.url) throw new Refusal('malformed', 'the inner and outer url differ');
    const next = importAccountKey(inner.header.key.jwk);
    verifyJws(inner, next);
    requireStrongKey(next);
    const claim = parseObject(inner.payload, 'the inner payload');
    const kid = call.jws.header.key.kind === 'kid' ? call.jws.header.key.kid : undefined;
    if (claim.account !== kid) throw new Refusal('malformed', 'the inner account is not the kid of the request');
    if (thumbprintOf(claim.oldKey) !== account.thumbprint)
      throw new Refusal('malformed', 'oldKey is not the key of the account');
    const requireUnused = async (db: Db) => {
      const holder = await findAccountByKey(db, profile.id, next.thumbprint);
      if (holder === undefined) return;
      const headers = { Location: urls.account(holder.id) };
      throw new Refusal('malformed', 'another account has the new key', { status: 409, headers });
    };
    await requireUnused(services.store.db);
    const jwk = JSON.stringify(next.jwk);
    const change = async (tx: Db) => {
      await spendOrRefuse(tx, 'key_changes', account.id, profile.settings.limits, now);
      // The unique index decides between two accounts that want one key; the old thumbprint, between two changes at once.
      await requireUnused(tx);
      if (!(await replaceAccountKey(tx, account.id, account.thumbprint, { thumbprint: next.thumbprint, jwk })))
        throw new Refusal('malformed', 'the key of this account changed meanwhile', { status: 409 });
      await appendAudit(tx, {
        actor: `acme:${account.id}`,
        action: 'acme_account.change_key',
        resource: `acme_account:${account.id}`,
        facts: { profile: profile.id, from: account.thumbprint, to: next.thumbprint },
        at: now,
      });
    };
    try {
      await services.store.write(change);
    } catch (error) {
      // PostgreSQL may tell two at once apart by the index alone; then the other one has the key by now.
      if (!(error instanceof Refusal)) await requireUnused(services.store.db);
      throw error;
    }
    return { status: 200, headers: { Location: urls.account(account.id) }, body: accountObject(account, urls) };
  },
};

function thumbprintOf(jwk: unknown): string | undefined {
  try {
    return jwkThumbprint(jwk as never);
  } catch {
    return undefined;
  }
}

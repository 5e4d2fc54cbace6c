import { type Identifier, identifierKey, identifierOf, problemTypeOf } from '../../acme/index.ts';
import { faultOf } from '../../base/index.ts';
import type { AccountInPlace } from '../../store/acme-accounts.ts';
import { findReusable } from '../../store/acme-authorizations.ts';
import { appendAudit } from '../../store/audit.ts';
import { type CertificateRow, findCertificate, markRevoked } from '../../store/ca.ts';
import { parseCertificate } from '../../x509/index.ts';
import { bareIdentifier } from '../authorizations.ts';
import { type KeyCall, payloadOf, type Resource } from '../call.ts';
import { entitlementOf, requireAllowed } from '../entitlement.ts';
import { decodeBase64url } from '../jws.ts';
import { Refusal } from '../refusal.ts';
import { upstreamIssuerOf } from '../upstream-orders.ts';

type RevokeCall = KeyCall & { readonly account?: AccountInPlace };

/** Reasons that a subscriber may give (RFC 5280 §5.3.1; CA/B BR §7.2.2). */
const REASONS = [0, 1, 3, 4, 5, 9] as const;
const KEY_COMPROMISE = 1;

/** RFC 8555 §7.6: by the account, by one that holds authorizations for every name, or by the certificate's own key. */
export const revoke: Resource = {
  auth: 'either',
  async answer(call) {
    const payload = payloadOf(call);
    const row = await requireIssued(call, payload.certificate);
    const reason = payload.reason ?? 0;
    if (!REASONS.some((known) => known === reason))
      throw new Refusal('badRevocationReason', `the reason must be one of ${REASONS.join(', ')}`);
    const actor = await requireRight(call, row, reason as number);
    const { services, now } = call;
    await passOn(call, row, reason as number);
    const done = await services.store.write(async (tx) => {
      if (!(await markRevoked(tx, row.serial, reason as number, now))) return false;
      await appendAudit(tx, {
        actor,
        action: 'acme_certificate.revoke',
        resource: `acme_certificate:${row.serial}`,
        facts: { profile: call.profile.id, reason, names: JSON.parse(row.names) as unknown },
        at: now,
      });
      return true;
    });
    if (!done) throw new Refusal('alreadyRevoked', 'this certificate was revoked before');
    services.ca.revoked?.(row);
    const by = call.account === undefined ? 'key' : call.account.id === row.account_id ? 'account' : 'another_account';
    services.metrics.count('gatehouse_acme_certificates_revoked_total', { profile: call.profile.id, by });
    return { status: 200 };
  },
};

/** The certificate exactly as this profile issued it. */
async function requireIssued(call: RevokeCall, encoded: unknown): Promise<CertificateRow> {
  const der = decodeBase64url(encoded);
  if (der === undefined) throw new Refusal('malformed', 'certificate is not base64url of DER');
  let serial: string;
  try {
    serial = parseCertificate(der).serial.toString('hex');
  } catch (cause) {
    throw new Refusal('malformed', 'certificate is no X.509 certificate', {}, cause);
  }
  const row = await findCertificate(call.services.store.db, serial);
  if (row === undefined || row.profile_id !== call.profile.id || !der.equals(row.certificate))
    throw new Refusal('malformed', 'this certificate was not issued here', { status: 404 });
  if (row.not_after < call.now)
    throw new Refusal('unauthorized', 'this certificate has expired, so it cannot be revoked');
  return row;
}

/** Answers the actor for the audit log. */
async function requireRight(call: RevokeCall, row: CertificateRow, reason: number): Promise<string> {
  const { account, key } = call;
  if (account === undefined) {
    const { spki } = parseCertificate(row.certificate);
    if (!spki.equals(key.spki))
      throw new Refusal('unauthorized', 'the request is signed by a key that is not that of the certificate');
    return `acme-cert-key:${row.serial}`;
  }
  // Only who holds the key can say that it was compromised (CA/B BR §4.9.1.1 (3)); an account may not block others' keys.
  if (reason === KEY_COMPROMISE && account.id !== row.account_id)
    throw new Refusal('badRevocationReason', 'keyCompromise needs a request signed by the key of the certificate');
  if (account.id !== row.account_id) await requireAuthorityOverNames(call, account, row);
  return `acme:${account.id}`;
}

async function requireAuthorityOverNames(
  call: RevokeCall,
  account: AccountInPlace,
  row: CertificateRow,
): Promise<void> {
  const { services, profile, now } = call;
  const identifiers = (JSON.parse(row.names) as string[]).map(
    (name): Identifier => (name.startsWith('*.') ? { type: 'dns', value: name } : identifierOf(name)),
  );
  const entitlement = entitlementOf(profile, account, now);
  if (entitlement.mode === 'trust') return requireAllowed(identifiers, call, entitlement);
  const held = await findReusable(
    services.store.db,
    account.id,
    identifiers.map((i) => identifierKey(bareIdentifier(i))),
    now,
  );
  const missing = identifiers.filter((identifier) => {
    const wildcard = identifier.value.startsWith('*.') ? 1 : 0;
    const key = identifierKey(bareIdentifier(identifier));
    return !held.some((authorization) => authorization.identifier === key && authorization.wildcard === wildcard);
  });
  if (missing.length > 0)
    throw new Refusal(
      'unauthorized',
      `this account holds no authorization for ${missing
        .map(({ value }) => value)
        .slice(0, 10)
        .join(', ')}`,
    );
}

const UPSTREAM_MS = 30_000;

/** A certificate of another CA is revoked there first: what is recorded here must be true there. */
async function passOn({ services }: RevokeCall, row: CertificateRow, reason: number): Promise<void> {
  const issuer = upstreamIssuerOf(row.authority_id);
  if (issuer === undefined || row.revoked_at !== null) return;
  const upstream = services.upstream?.();
  try {
    if (upstream === undefined) throw new Error('no issuer can be reached from here');
    await upstream.revoke(issuer, row.certificate, reason, AbortSignal.timeout(UPSTREAM_MS));
  } catch (error) {
    const { code, message } = faultOf(error);
    const type = problemTypeOf(code);
    if (type === 'alreadyRevoked') return;
    throw new Refusal(type ?? 'serverInternal', `${issuer}, which issued it, did not revoke it: ${message}`, {}, error);
  }
}

import { createPrivateKey } from 'node:crypto';
import { problemTypeOf } from '../acme/index.ts';
import { Fault, faultOf } from '../base/index.ts';
import { appendEvent } from '../store/certificate-events.ts';
import { markRevocationTold, markRevoked, versionById, versionsOf } from '../store/certificate-versions.ts';
import { type CertificateRow, certificateById, updateCertificate } from '../store/certificates.ts';
import { type Db, recordChange } from '../store/index.ts';
import type { IssuerRow } from '../store/issuers.ts';
import { parseChain } from '../x509/index.ts';
import { REVOCATION_REASONS, type RevocationReason } from './face.ts';
import { classOf, problemOf, retryTime } from './failure.ts';
import type { Lease } from './lease.ts';
import type { Engine } from './ports.ts';
import type { Reconciling } from './reconcile.ts';

/**
 * Withdraws every unrevoked version of a certificate that has not expired, at once and everywhere: nothing is served
 * from this write on. Its CA is told next, and again until it has heard.
 */
export async function withdraw(engine: Engine, id: string, reason: RevocationReason, replace: boolean): Promise<void> {
  const { store, clock } = engine;
  await store.write(async (tx) => {
    const row = await certificateById(tx, id);
    if (row === undefined) throw notFound(id);
    const now = clock.now();
    const open = (await versionsOf(tx, id, 1000)).filter((one) => one.revoked_at === null && one.not_after > now);
    if (open.length === 0)
      throw new Fault({
        code: 'nothing_to_revoke',
        detail: 'it has no version that is neither expired nor revoked',
        party: 'client',
        retry: 'never',
        status: 409,
      });
    for (const version of open) await markRevoked(tx, version.id, reason, now, version.issuer_id === null);
    const change = {
      status: 'revoked',
      served_version_id: null,
      wanted: replace ? 'replace' : null,
      problem: null,
      renew_at: null,
      renewal_info: null,
      open_order: null,
      // Whoever is at work on it loses the lease, so that a renewal under way does not bring it back.
      lease_token: row.lease_token + 1,
      lease_until: 0,
      next_attempt_at: now,
    } satisfies Partial<CertificateRow>;
    await updateCertificate(tx, id, change, now);
    const words = `revoked (${reason}) and withdrawn; ${replace ? 'a new one is got at once' : 'not replaced until somebody asks'}`;
    await appendEvent(tx, { certificateId: id, at: now, kind: 'revoked', words, facts: { reason } });
    await recordChange(tx, 'certificate', id, now);
  });
}

/** Tells the CA about one revoked version: by the account that ordered it, else by the certificate's own key. */
export async function tellCa(
  { engine, connections }: Reconciling,
  issuers: ReadonlyMap<string, IssuerRow>,
  lease: Lease,
  row: CertificateRow,
  versionId: string,
): Promise<void> {
  const { store, clock, secrets, random } = engine;
  const version = await versionById(store.db, versionId);
  const issuer = issuers.get(version?.issuer_id ?? '');
  if (version === undefined) return;
  const told = (tx: Db) => markRevocationTold(tx, versionId, clock.now());
  if (issuer === undefined) {
    const words = `the issuer ${version.issuer_id} is gone, so nobody can be told of the revocation of ${version.serial}`;
    await store.write(async (tx) => {
      await told(tx);
      await appendEvent(tx, { certificateId: row.id, at: clock.now(), kind: 'problem', words });
    });
    return;
  }
  try {
    const client = connections.client(issuer);
    const certificate = parseChain(version.chain).leaf.der;
    const reason = REVOCATION_REASONS[(version.revocation_reason ?? 'unspecified') as RevocationReason] ?? 0;
    const account = await connections.accounts.of(issuer, client, lease.signal);
    try {
      await client.revoke({ certificate, reason, by: { account } }, lease.signal);
    } catch (error) {
      const type = error instanceof Fault ? problemTypeOf(error.code) : undefined;
      const pem = await secrets.get(version.key_path);
      // An account that was lost cannot speak for what it ordered; the certificate's key can (RFC 8555 §7.6).
      if ((type !== 'unauthorized' && type !== 'accountDoesNotExist') || pem === undefined) throw error;
      const certificateKey = createPrivateKey(Buffer.from(pem));
      await client.revoke({ certificate, reason, by: { certificateKey } }, lease.signal);
    }
    await store.write(async (tx) => {
      await told(tx);
      await lease.update(tx, { problem: null, attempts: 0 });
      const words = `${issuer.id} knows of the revocation of ${version.serial}`;
      await appendEvent(tx, { certificateId: row.id, at: clock.now(), kind: 'revoked', words });
    });
  } catch (error) {
    if (lease.signal.aborted) throw lease.signal.reason;
    const fault = faultOf(error);
    const failure = classOf(fault);
    const now = clock.now();
    const attempts = row.attempts + 1;
    const { retry } = fault.details;
    const notBefore = typeof retry === 'object' ? { notBefore: retry.notBefore } : {};
    const retryAt = retryTime({ failure, attempts, now, random: random(), ...notBefore });
    await store.write(async (tx) => {
      await lease.update(tx, { attempts, problem: JSON.stringify(problemOf(fault, now, retryAt, failure, issuer.id)) });
      const words = `${issuer.id} could not be told of the revocation: ${fault.message}`;
      await appendEvent(tx, { certificateId: row.id, at: now, kind: 'problem', words });
    });
  }
}

export function notFound(id: string): Fault {
  return new Fault({
    code: 'not_found',
    detail: `there is no certificate ${id}`,
    party: 'client',
    retry: 'never',
    status: 404,
  });
}

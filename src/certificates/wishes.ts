import { newId } from '../base/index.ts';
import { appendEvent } from '../store/certificate-events.ts';
import {
  addReference,
  type CertificateRow,
  certificateById,
  certificateByIdentity,
  insertCertificate,
  referencesOf,
  removeReference,
  updateCertificate,
} from '../store/certificates.ts';
import { type Db, recordChange } from '../store/index.ts';
import { listIssuers } from '../store/issuers.ts';
import { stagingBeside } from '../store/production-wanted.ts';
import type { CertificateWish } from './face.ts';
import { namesOf } from './facts.ts';
import type { Engine } from './ports.ts';
import { identityDigest, parseWish } from './wish.ts';

/** Writes a wish down; the same wish again finds the same certificate. Answers its id. */
export async function ensureWithin(engine: Engine, tx: Db, wish: CertificateWish): Promise<string> {
  const now = engine.clock.now();
  const issuers = new Map((await listIssuers(tx)).map((issuer) => [issuer.id, issuer]));
  const identity = parseWish(wish, issuers, { issuers: engine.issuers, keyType: 'ec-p256' });
  const digest = identityDigest(identity);
  const found = await certificateByIdentity(tx, digest);
  if (found !== undefined) {
    await adopt(tx, found, wish, now);
    return found.id;
  }
  const id = newId('crt', now);
  await insertCertificate(tx, {
    id,
    identity: digest,
    kind: 'acme',
    names: JSON.stringify(identity.names),
    issuers: JSON.stringify(identity.issuers),
    key_type: identity.keyType,
    profile: identity.profile ?? null,
    reuse_key: wish.reuseKey === true ? 1 : 0,
    challenge: wish.challenge ?? 'auto',
    dns_credential_id: wish.dnsCredentialId ?? null,
    status: 'pending',
    next_attempt_at: now,
    ...NOTHING_YET,
    created_at: now,
    updated_at: now,
  });
  await addReference(tx, id, wish.reference, now);
  const words = `${identity.names.join(', ')} should have a certificate, from ${identity.issuers.join(', else ')}`;
  await appendEvent(tx, { certificateId: id, at: now, kind: 'wished', words, facts: { reference: wish.reference } });
  await recordChange(tx, 'certificate', id, now);
  await recordChangeBeside(tx, identity.names, now);
  return id;
}

/** What else is for these names and from a staging issuer is delivered, or not, by whether production is wanted. */
export async function recordChangeBeside(tx: Db, names: readonly string[], now: number): Promise<void> {
  for (const other of await stagingBeside(tx, names)) await recordChange(tx, 'certificate', other, now);
}

/** The columns of a certificate for which nothing has been done. */
export const NOTHING_YET = {
  served_version_id: null,
  problem: null,
  attempts: 0,
  renew_at: null,
  renew_reason: null,
  renewal_info: null,
  open_order: null,
  wanted: null,
  asked_again: 0,
  unreferenced_at: null,
  lease_holder: null,
  lease_token: 0,
  lease_until: 0,
} satisfies Partial<CertificateRow>;

export async function referWithin(
  tx: Db,
  id: string,
  wish: Pick<CertificateWish, 'reference' | 'challenge' | 'dnsCredentialId'>,
  now: number,
): Promise<boolean> {
  const row = await certificateById(tx, id);
  if (row !== undefined) await adopt(tx, row, wish, now);
  return row !== undefined;
}

type Adoption = Pick<CertificateWish, 'reference' | 'challenge' | 'dnsCredentialId' | 'reuseKey'>;

/** Another reference to a certificate that is there; how its names are shown may have changed. */
async function adopt(tx: Db, row: CertificateRow, wish: Adoption, now: number): Promise<void> {
  const isNew = !(await referencesOf(tx, row.id)).includes(wish.reference);
  if (isNew) await addReference(tx, row.id, wish.reference, now);
  const change: Partial<CertificateRow> = {};
  if (row.unreferenced_at !== null) change.unreferenced_at = null;
  if (wish.challenge !== undefined && wish.challenge !== row.challenge) change.challenge = wish.challenge;
  if (wish.dnsCredentialId !== undefined && wish.dnsCredentialId !== row.dns_credential_id)
    change.dns_credential_id = wish.dnsCredentialId;
  if (wish.reuseKey !== undefined && Number(wish.reuseKey) !== row.reuse_key) change.reuse_key = Number(wish.reuseKey);
  // Somebody new needs what was revoked: that is the request to replace it.
  if (isNew && row.status === 'revoked') change.wanted = 'replace';
  if (Object.keys(change).length === 0) return;
  // Another way to show control is worth an attempt at once; a mere new reader of a failing one is not.
  const retries =
    change.challenge !== undefined || change.dns_credential_id !== undefined || change.wanted !== undefined;
  await updateCertificate(tx, row.id, { ...change, ...(retries && { problem: null }), ...soon(row, now) }, now);
  if (change.unreferenced_at !== null) return;
  await recordChange(tx, 'certificate', row.id, now);
  await recordChangeBeside(tx, namesOf(row), now);
}

/** Due now; or as soon as the step under way ends. */
export const soon = (row: CertificateRow, now: number): Partial<CertificateRow> =>
  row.lease_until > now ? { asked_again: 1 } : { next_attempt_at: now };

/** A certificate that nothing refers to any more is no longer renewed, and goes after the grace time. */
export async function releaseWithin(engine: Engine, tx: Db, reference: string, id?: string): Promise<void> {
  const now = engine.clock.now();
  for (const lost of await removeReference(tx, reference, id)) {
    if ((await referencesOf(tx, lost)).length > 0) continue;
    const row = await certificateById(tx, lost);
    if (row === undefined) continue;
    await updateCertificate(tx, lost, { unreferenced_at: now, ...soon(row, now) }, now);
    const days = Math.round(engine.graceMs / (24 * 3_600_000));
    const words = `nothing refers to it any more; it is not renewed, and removed in ${days} days`;
    await appendEvent(tx, { certificateId: lost, at: now, kind: 'released', words, facts: { reference } });
    await recordChange(tx, 'certificate', lost, now);
    await recordChangeBeside(tx, namesOf(row), now);
  }
}

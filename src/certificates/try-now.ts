import { Fault, inUtc } from '../base/index.ts';
import { appendEvent } from '../store/certificate-events.ts';
import { issuedBefore, versionById } from '../store/certificate-versions.ts';
import {
  type CertificateProblem,
  type CertificateRow,
  certificateById,
  updateCertificate,
} from '../store/certificates.ts';
import { type Db, recordChange } from '../store/index.ts';
import { holdIssuer, type IssuerRow, issuerById } from '../store/issuers.ts';
import { issuersOf, namesOf, openOrderOf, problemOfRow } from './facts.ts';
import { holdOf } from './outcome.ts';
import type { Engine } from './ports.ts';
import { quotaRefusal, wordsOfRefusal } from './quota-ledger.ts';
import { notFound } from './revocation.ts';
import { soon } from './wishes.ts';

/** What would be wasted now, and until when. */
interface Refusal {
  readonly issuerId: string;
  readonly code: 'quota' | 'issuer_held';
  readonly detail: string;
  readonly until: number;
}

/**
 * A person says so: a good certificate is renewed, one that waits is tried now, a revoked one is replaced. An issuer that
 * we leave alone only because it was down is asked again; where every issuer is known to refuse, by its own word or by its
 * limits, nothing is spent, and it is tried the moment that one may allow it.
 */
export async function renewWithin(engine: Engine, tx: Db, id: string): Promise<void> {
  const now = engine.clock.now();
  const row = await certificateById(tx, id);
  if (row === undefined) throw notFound(id);
  if (row.kind === 'imported') throw notRenewed(row);
  const issuers = (await Promise.all(issuersOf(row).map((issuer) => issuerById(tx, issuer)))).filter(
    (issuer) => issuer !== undefined,
  );
  const refusals: Refusal[] = [];
  for (const issuer of issuers) {
    const refusal = await refusalOf(tx, row, issuer, now);
    if (refusal !== undefined) refusals.push(refusal);
    // How often it was down in a row stays, so that one that is down still is left alone for longer.
    else if ((issuer.hold_until ?? 0) > now) await holdIssuer(tx, issuer.id, now, issuer.hold_problem);
  }
  const wanted = wantedBy(row);
  const say = (words: string) => appendEvent(tx, { certificateId: id, at: now, kind: 'wished', words });
  if (refusals.length < issuers.length || issuers.length === 0) {
    await updateCertificate(tx, id, { wanted, problem: null, ...soon(row, now) }, now);
    await say('somebody asks for it now');
  } else {
    const first = refusals.reduce((a, b) => (b.until < a.until ? b : a));
    const problem = JSON.stringify(problemFrom(first, now));
    await updateCertificate(
      tx,
      id,
      { wanted, problem, ...(row.lease_until <= now && { next_attempt_at: first.until }) },
      now,
    );
    await say(`somebody asks for it now; ${first.detail}, so it is tried at ${inUtc(first.until)}`);
  }
  await recordChange(tx, 'certificate', id, now);
}

function wantedBy(row: CertificateRow): CertificateRow['wanted'] {
  if (row.status === 'revoked') return 'replace';
  // What failed of a good one is telling its CA of a revocation.
  return row.status === 'valid' && row.problem !== null ? row.wanted : 'now';
}

/** Why asking this issuer now is known to be wasted. */
async function refusalOf(tx: Db, row: CertificateRow, issuer: IssuerRow, now: number): Promise<Refusal | undefined> {
  const hold = holdOf(issuer);
  const at = { issuerId: issuer.id };
  if (issuer.hold_until !== null && issuer.hold_until > now && hold?.asked === true)
    return {
      ...at,
      code: 'issuer_held',
      detail: `${issuer.id} asked for a pause: ${hold.detail}`,
      until: issuer.hold_until,
    };
  const problem = problemOfRow(row);
  const isItsWord = problem?.issuerId === issuer.id && problem.code !== 'quota' && problem.code !== 'issuer_held';
  if (isItsWord && problem.class === 'rate-limit' && (problem.notBefore ?? 0) > now)
    return { ...at, code: 'issuer_held', detail: `${issuer.id} refused: ${problem.detail}`, until: problem.notBefore! };
  // An order under way has been counted.
  if (openOrderOf(row)?.issuerId === issuer.id) return undefined;
  const served = row.served_version_id === null ? undefined : await versionById(tx, row.served_version_id);
  const replaces = served?.issuer_id === issuer.id && served.ari_id !== null;
  const nature = replaces ? 'replacement' : (await issuedBefore(tx, row.id, issuer.id)) ? 'renewal' : 'new';
  const refused = await quotaRefusal(tx, issuer, namesOf(row), nature, now);
  return refused && { ...at, code: 'quota', detail: wordsOfRefusal(issuer.id, refused), until: refused.waitUntil };
}

const problemFrom = ({ issuerId, code, detail, until }: Refusal, now: number): CertificateProblem => ({
  class: 'rate-limit',
  code,
  detail,
  party: 'ca',
  at: now,
  retryAt: until,
  notBefore: until,
  issuerId,
  advice: 'nothing was spent; a second issuer for the certificate would be asked meanwhile',
});

function notRenewed(row: CertificateRow): Fault {
  return new Fault({
    code: 'not_renewed',
    detail: `${namesOf(row).join(', ')} was brought, so there is no issuer to ask`,
    party: 'client',
    retry: 'never',
    advice: 'bring the next one: gatehouse certificates upload, or in its files',
    status: 409,
  });
}

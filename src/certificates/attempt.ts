import { Fault, faultOf } from '../base/index.ts';
import type { CertificateVersionRow } from '../store/certificate-versions.ts';
import type { CertificateRow } from '../store/certificates.ts';
import type { IssuerRow } from '../store/issuers.ts';
import { issuersOf, type OpenOrder, openOrderOf, renewalInfoOf } from './facts.ts';
import { classOf, comeBackWithin, isIssuersOwn } from './failure.ts';
import { type Begun, begin, obtain } from './issue.ts';
import type { IssuerConnections } from './issuers.ts';
import type { Lease } from './lease.ts';
import {
  type FailedIssuer,
  holdOf,
  holdWhereDown,
  mayStillCome,
  note,
  recordFailure,
  recordIssued,
  settle,
} from './outcome.ts';
import type { Engine } from './ports.ts';
import { isWantedBack } from './renewal-time.ts';

export interface Attempt {
  readonly engine: Engine;
  readonly connections: IssuerConnections;
  readonly issuers: ReadonlyMap<string, IssuerRow>;
  readonly lease: Lease;
  readonly row: CertificateRow;
  readonly served?: CertificateVersionRow;
  readonly why: string;
}

/**
 * Gets a certificate from the first issuer that gives one. An issuer that is being left alone, whose quota is used up,
 * that is down or that refuses is passed over for the next, and the record says so.
 */
export async function attemptIssue(attempt: Attempt): Promise<void> {
  const { row } = attempt;
  const open = openOrderOf(row);
  // An order under way is gone on with at its own issuer first.
  const order = [...new Set([...(open === undefined ? [] : [open.issuerId]), ...issuersOf(row)])];
  const failures: FailedIssuer[] = [];
  let ended = false;
  for (const issuerId of order.filter((id) => issuersOf(row).includes(id))) {
    const outcome = await tryIssuer(attempt, issuerId, open?.issuerId === issuerId ? open : undefined);
    if (outcome === undefined) return;
    failures.push({ ...outcome, issuerId });
    if (outcome.order !== 'untouched') ended = outcome.order === 'ended';
    if (!isIssuersOwn(classOf(outcome.fault))) break;
    if (failures.length < order.length)
      await note(attempt, 'problem', `${issuerId}: ${outcome.fault.message}; trying the next issuer`);
  }
  await recordFailure(attempt, failures, ended);
}

type Outcome = (Omit<FailedIssuer, 'issuerId'> & { readonly order: 'untouched' | 'kept' | 'ended' }) | undefined;

async function tryIssuer(attempt: Attempt, issuerId: string, open: OpenOrder | undefined): Promise<Outcome> {
  const { engine, issuers } = attempt;
  const issuer = issuers.get(issuerId);
  if (issuer === undefined) return { fault: unknownIssuer(issuerId), spent: false, order: 'untouched' };
  if (issuer.hold_until !== null && issuer.hold_until > engine.clock.now())
    return { fault: held(issuer, issuer.hold_until + spread(attempt, issuer)), spent: false, order: 'untouched' };
  let spent: Begun | undefined;
  try {
    const begun = await begin(attempt, issuer, open);
    spent = begun;
    await recordIssued(attempt, issuer, begun, await obtain(attempt, issuer, begun));
    return undefined;
  } catch (error) {
    if (attempt.lease.signal.aborted) throw attempt.lease.signal.reason;
    const fault = faultOf(error);
    const order = spent === undefined ? 'untouched' : mayStillCome(fault) ? 'kept' : 'ended';
    // An order that is kept keeps what it took: giving that back at each retry would undo the count.
    if (spent !== undefined && order === 'ended') await settle(attempt, issuer, fault, spent);
    await holdWhereDown(attempt, issuer, fault);
    return { fault, spent: fault.code !== 'quota', order };
  }
}

/** Those that wait for one issuer come back one after another; where somebody waits, at the first moment. */
function spread({ engine, row, served }: Attempt, issuer: IssuerRow): number {
  if (row.wanted === 'now') return 0;
  const now = engine.clock.now();
  const info = renewalInfoOf(row);
  const validity = served && { notBefore: served.not_before, notAfter: served.not_after };
  const wantedBack = validity !== undefined && info?.versionId === served?.id && isWantedBack(info!, validity, now);
  const hurried = row.wanted !== null || served?.staging !== issuer.staging || wantedBack;
  const awaySince = holdOf(issuer)?.since;
  const within = comeBackWithin({
    now,
    hurried,
    ...(validity && { servedUntil: validity.notAfter }),
    ...(awaySince !== undefined && { awaySince }),
  });
  return engine.random() * within;
}

function unknownIssuer(id: string): Fault {
  return new Fault({
    code: 'issuer_unknown',
    detail: `there is no issuer ${id} any more`,
    party: 'operator',
    retry: 'backoff',
    advice: 'add the issuer again, or make the certificate anew with another',
  });
}

function held(issuer: IssuerRow, until: number): Fault {
  return new Fault({
    code: 'issuer_held',
    detail: `${issuer.id} is left alone for now: ${holdOf(issuer)?.detail ?? 'it asked for a pause'}`,
    party: 'ca',
    retry: { notBefore: until },
    advice: 'it is asked again by itself; a second issuer for the certificate would be asked meanwhile',
  });
}

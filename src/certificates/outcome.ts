import type { Obtained } from '../acme-client/index.ts';
import { type Fault, type FaultDetails, inUtc } from '../base/index.ts';
import { appendEvent, type CertificateEventKind, trimEvents } from '../store/certificate-events.ts';
import {
  type CertificateVersionRow,
  insertVersion,
  removeEnded,
  revokeReplaced,
} from '../store/certificate-versions.ts';
import { recordChange } from '../store/index.ts';
import { holdIssuer, type IssuerRow, issuerById } from '../store/issuers.ts';
import { ariIdOf } from './ari-id.ts';
import type { Attempt } from './attempt.ts';
import { namesOf, problemOfRow } from './facts.ts';
import { classOf, holdsIssuer, problemOf, retryTime } from './failure.ts';
import type { Begun } from './issue.ts';
import { newVersion } from './new-version.ts';
import { openOrderWithin } from './open-order.ts';
import type { Engine } from './ports.ts';
import { countFailures, giveBackQuota } from './quota-ledger.ts';
import { renewByFraction } from './renewal-time.ts';

export interface FailedIssuer {
  readonly issuerId: string;
  readonly fault: Fault;
  /** Whether it was tried, and not only put off. */
  readonly spent: boolean;
}

export async function note(attempt: Attempt, kind: CertificateEventKind, words: string): Promise<void> {
  const { engine, row } = attempt;
  await engine.store.write((tx) => appendEvent(tx, { certificateId: row.id, at: engine.clock.now(), kind, words }));
}

/** The new version, served from this write on. */
export async function recordIssued(attempt: Attempt, issuer: IssuerRow, begun: Begun, obtained: Obtained) {
  const { engine, lease, row } = attempt;
  const { clock, store, secrets, random, log } = engine;
  const { chain } = obtained;
  const now = clock.now();
  const version = versionRow(attempt, issuer, begun, obtained, now);
  const renewAt = renewByFraction(chain, random());
  const ended = await store.write(async (tx) => {
    await insertVersion(tx, version);
    await lease.update(tx, {
      status: 'valid',
      served_version_id: version.id,
      problem: null,
      attempts: 0,
      wanted: null,
      open_order: null,
      renewal_info: null,
      renew_at: renewAt,
      renew_reason: 'a third of its lifetime is left',
    });
    const words = `issued by ${chain.issuerName} through ${issuer.id}, good until ${inUtc(chain.notAfter)}`;
    const facts = { version: version.id, serial: chain.serial, issuer: issuer.id, staging: issuer.staging === 1 };
    await appendEvent(tx, { certificateId: row.id, at: now, kind: 'issued', words, facts });
    await revokeReplaced(tx, row.id, version.id, now);
    await recordChange(tx, 'certificate', row.id, now);
    if (issuer.hold_problem !== null) await holdIssuer(tx, issuer.id, null, null);
    await trimEvents(tx, row.id, engine.eventsKept);
    return removeEnded(tx, row.id, now - engine.expiredKeptMs, version.id);
  });
  for (const { key_path } of ended) await secrets.delete(key_path);
  log.info({ certificate: row.id, names: namesOf(row), issuer: issuer.id, serial: chain.serial }, 'certificate issued');
}

function versionRow(
  { row }: Attempt,
  issuer: IssuerRow,
  { progress }: Begun,
  { chain }: Obtained,
  now: number,
): CertificateVersionRow {
  return {
    id: progress.order.versionId,
    ...newVersion(chain, now),
    certificate_id: row.id,
    issuer_id: issuer.id,
    staging: issuer.staging,
    key_path: progress.order.keyPath,
    key_type: row.key_type,
    ari_id: ariIdOf(chain),
    profile: row.profile ?? issuer.profile,
    challenge: progress.challenge ?? null,
  };
}

/** Settles what an order that led nowhere took of the quota. */
export async function settle(attempt: Attempt, issuer: IssuerRow, fault: Fault, { progress }: Begun): Promise<void> {
  const { engine, row } = attempt;
  const names = namesOf(row);
  const { nature, countedAt, url } = progress.order;
  const now = engine.clock.now();
  await engine.store.write(async (tx) => {
    await giveBackQuota(tx, issuer, names, nature, { since: countedAt, now, ordered: url !== undefined });
    await countFailures(tx, issuer, failedNames(names, fault.details), now);
  });
}

/** Those of the names that failed, each once. */
export function failedNames(names: readonly string[], fault: FaultDetails): string[] {
  const fields = [fault, ...(fault.problems ?? [])].map(({ field }) => field);
  return names.filter((name) => fields.includes(`dns:${name.replace(/^\*\./, '')}`) || fields.includes(`ip:${name}`));
}

const FIRST_HOLD_MS = 30_000;
const LONGEST_HOLD_MS = 15 * 60_000;

/** Why an issuer is being left alone, and how often in a row. */
export interface Hold {
  readonly detail: string;
  readonly count: number;
  /** When the first of these failed. */
  readonly since?: number;
  /** It said itself until when. */
  readonly asked?: boolean;
}

export const holdOf = (issuer: Pick<IssuerRow, 'hold_problem'>): Hold | undefined =>
  issuer.hold_problem === null ? undefined : (JSON.parse(issuer.hold_problem) as Hold);

/** An issuer that is down, or that turned our whole account away, is left alone by everybody for a while. */
export async function holdWhereDown({ engine }: Attempt, issuer: IssuerRow, fault: Fault): Promise<void> {
  const failure = classOf(fault);
  if (fault.code === 'quota' || !holdsIssuer(fault, failure)) return;
  await engine.store.write(async (tx) => {
    const now = engine.clock.now();
    const current = await issuerById(tx, issuer.id);
    // Of many that fail together, the first one says how long.
    if (current === undefined || (current.hold_until ?? 0) > now) return;
    const { retry } = fault.details;
    const asked = typeof retry === 'object' ? retry.notBefore : 0;
    const count = (holdOf(current)?.count ?? 0) + 1;
    const pause = Math.min(FIRST_HOLD_MS * 2 ** (count - 1), LONGEST_HOLD_MS);
    const since = holdOf(current)?.since ?? now;
    const hold: Hold = { detail: fault.message.slice(0, 500), count, since, ...(asked > now && { asked: true }) };
    await holdIssuer(tx, issuer.id, Math.max(asked, now + pause), JSON.stringify(hold));
  });
}

/**
 * Nothing could be got: says why, and when it is tried again. What is served is served on. An order that `ended` is
 * forgotten with its key; one that may still come to something stays, and with it what it took of the quota.
 */
export async function recordFailure(
  attempt: Attempt,
  failures: readonly FailedIssuer[],
  ended: boolean,
): Promise<void> {
  const { engine, lease, row, served } = attempt;
  const { clock, store, log, secrets } = engine;
  // What was tried tells more than what was only put off.
  const told = failures.filter(({ spent }) => spent).at(-1) ?? failures.at(-1);
  if (told === undefined) return;
  const now = clock.now();
  const tried = failures.some(({ spent }) => spent);
  const attempts = row.attempts + (tried ? 1 : 0);
  const times = failures.map(({ fault, spent }) => retryOf(engine, fault, spent, Math.max(attempts, 1), served, now));
  const retryAt = Math.min(...times);
  const failure = classOf(told.fault);
  const problem = problemOf(told.fault, now, retryAt, failure, told.issuerId);
  const forgotten = await store.write(async (tx) => {
    const open = ended ? await openOrderWithin(tx, row.id) : undefined;
    await lease.update(tx, {
      status: served !== undefined && served.not_after <= now ? 'expired' : 'failed',
      problem: JSON.stringify(problem),
      attempts,
      ...(ended && { open_order: null }),
    });
    // Put off once more for the same reason: the new time is all there is to say.
    if (!tried && problemOfRow(row)?.code === problem.code) return open;
    const words = `${told.issuerId}: ${told.fault.message}; trying again at ${inUtc(retryAt)}`;
    await appendEvent(tx, { certificateId: row.id, at: now, kind: 'problem', words, facts: { problem } });
    await recordChange(tx, 'certificate', row.id, now);
    await trimEvents(tx, row.id, engine.eventsKept);
    return open;
  });
  if (forgotten !== undefined) await secrets.delete(forgotten.keyPath);
  const facts = {
    certificate: row.id,
    names: namesOf(row),
    class: failure,
    attempts,
    retryAt: new Date(retryAt).toISOString(),
  };
  const level = served !== undefined && served.not_after <= now ? 'error' : tried ? 'warn' : 'debug';
  log[level](facts, `certificate not issued: ${told.fault.message}`);
}

function retryOf(
  engine: Engine,
  fault: Fault,
  spent: boolean,
  attempts: number,
  served: CertificateVersionRow | undefined,
  now: number,
): number {
  const { retry } = fault.details;
  const notBefore = typeof retry === 'object' ? retry.notBefore : undefined;
  // Put off, not failed: exactly when it may.
  if (!spent && notBefore !== undefined) return notBefore;
  return retryTime({
    failure: classOf(fault),
    attempts,
    now,
    random: engine.random(),
    ...(notBefore !== undefined && { notBefore }),
    ...(served !== undefined && { servedUntil: served.not_after }),
  });
}

/** An order whose CA went away in the middle may still come to something. */
export const mayStillCome = (fault: Fault): boolean => classOf(fault) === 'ca-down';

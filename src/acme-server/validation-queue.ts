import type { ChallengeType, Identifier } from '../acme/index.ts';
import { errorText } from '../base/index.ts';
import { findAccount } from '../store/acme-accounts.ts';
import { type AcmeAuthorizationRow, findStalledValidations, moveAuthorization } from '../store/acme-authorizations.ts';
import { appendAudit } from '../store/audit.ts';
import { challengesOf, identifierOfRow } from './authorizations.ts';
import { createFairLines, type Waiting } from './fair-lines.ts';
import { countFailure } from './limits.ts';
import type { AcmeMetrics } from './metrics.ts';
import { requireQuorum } from './perspectives.ts';
import type { Profile } from './profile.ts';
import { createProfileSource } from './profile-source.ts';
import { Refusal, refusalOf } from './refusal.ts';
import type { AcmeServerDeps } from './services.ts';
import type { StoredChallenge } from './status.ts';
import { profileUrls } from './urls.ts';
import { requireCaa } from './validators/caa.ts';
import { VALIDATORS } from './validators/index.ts';
import type { ValidationTask } from './validators/validator.ts';

export interface ValidationJob {
  /** As it is in the store, the challenge marked as processing. */
  readonly authorization: AcmeAuthorizationRow;
  readonly type: ChallengeType;
  readonly token?: string;
  readonly identifier: Identifier;
  readonly profile: Profile;
  readonly thumbprint: string;
  readonly accountUrl: string;
}

export interface ValidationQueue {
  /** Resolves with the authorization as it was recorded; undefined when that came to nothing here. */
  start(job: ValidationJob): Promise<AcmeAuthorizationRow | undefined>;
  /** Takes up what other processes left unfinished, until aborted. */
  run(signal: AbortSignal): Promise<void>;
  idle(): Promise<void>;
  readonly numbers: { readonly waiting: number; readonly underWay: number };
}

type CountingDeps = AcmeServerDeps & { readonly metrics: AcmeMetrics };
type QueuedJob = ValidationJob & Waiting & { readonly tell: (outcome: AcmeAuthorizationRow | undefined) => void };

/** Bounds for one process; what is beyond waits. */
const AT_ONCE = { total: 64, type: 32, account: 16 };
const SWEEP_MS = 15_000;
/** Longer than any validation may take, so that none is done twice at once. */
const LONGEST_VALIDATION_MS = 90_000;

/** Runs validations in the background, one account's after another's in turn, and records what came out. */
export function createValidationQueue(deps: CountingDeps): ValidationQueue {
  const lines = createFairLines<QueuedJob>(AT_ONCE);
  let waiters: (() => void)[] = [];

  function next(): void {
    for (let job = lines.take(); job !== undefined; job = lines.take()) {
      const taken = job;
      void perform(deps, taken)
        .then(taken.tell)
        .finally(() => {
          lines.done(taken);
          next();
        });
    }
    if (lines.underWay > 0) return;
    for (const wake of waiters) wake();
    waiters = [];
  }

  return {
    numbers: lines,
    start(job) {
      const { id, account_id } = job.authorization;
      return new Promise((resolve) => {
        // What waits here for long looks stalled to the sweep, and is not begun twice.
        if (!lines.add({ ...job, id, account: account_id, tell: resolve })) resolve(undefined);
        next();
      });
    },
    async run(signal) {
      // Alone, what is under way at the start was left by a run that was killed.
      let longestMs = deps.alone === true ? 0 : LONGEST_VALIDATION_MS;
      while (!signal.aborted) {
        for (const job of await stalledJobs(deps, deps.clock.now() - longestMs)) void this.start(job);
        longestMs = LONGEST_VALIDATION_MS;
        await deps.clock.sleep(SWEEP_MS, signal).catch(() => {});
      }
    },
    idle: () => (lines.underWay === 0 ? Promise.resolve() : new Promise((resolve) => waiters.push(resolve))),
  };
}

/** Checks the challenge and records the outcome. Never rejects. */
async function perform(deps: CountingDeps, job: ValidationJob): Promise<AcmeAuthorizationRow | undefined> {
  try {
    const began = performance.now();
    const refusal = await outcomeOf(deps, job);
    const { type } = job;
    deps.metrics.count('gatehouse_acme_validations_total', { type, result: refusal?.type ?? 'valid' });
    deps.metrics.observe('gatehouse_acme_validation_duration_seconds', { type }, (performance.now() - began) / 1000);
    return await record(deps, job, refusal);
  } catch (error) {
    // The authorization stays as it is; the sweep takes it up again.
    deps.logger.error({ err: error, authorization: job.authorization.id }, 'a validation could not be recorded');
    return undefined;
  }
}

async function outcomeOf(deps: CountingDeps, job: ValidationJob): Promise<Refusal | undefined> {
  const policy = job.profile.settings.validation;
  const signal = AbortSignal.timeout(policy.timeout_seconds * 1000);
  try {
    if (!policy.challenges.includes(job.type)) throw new Refusal('unauthorized', `${job.type} is not offered any more`);
    const task: ValidationTask = {
      type: job.type,
      identifier: job.identifier,
      wildcard: job.authorization.wildcard === 1,
      token: job.token,
      thumbprint: job.thumbprint,
      accountUrl: job.accountUrl,
      policy,
      now: deps.clock.now(),
    };
    await VALIDATORS[job.type](task, signal);
    await requireCaa({ ...task, method: job.type }, signal);
    await requireQuorum(deps.perspectives ?? [], task, signal, (perspective, result) =>
      deps.metrics.count('gatehouse_acme_perspective_checks_total', { perspective, result }),
    );
    return undefined;
  } catch (error) {
    if (signal.aborted && !(error instanceof Refusal))
      return new Refusal(
        'connection',
        `no result within ${policy.timeout_seconds} seconds: ${errorText(error)}`,
        {},
        error,
      );
    return refusalOf(error);
  }
}

async function record(
  deps: CountingDeps,
  job: ValidationJob,
  refusal: Refusal | undefined,
): Promise<AcmeAuthorizationRow | undefined> {
  const { authorization, profile, type } = job;
  const now = deps.clock.now();
  const challenges = challengesOf(authorization).map((challenge): StoredChallenge => {
    if (challenge.type !== type) return challenge;
    return refusal === undefined
      ? { ...challenge, status: 'valid', validated: now }
      : { ...challenge, status: 'invalid', error: { ...refusal.problem, identifier: job.identifier } };
  });
  if (refusal?.problem.status === 500)
    deps.logger.error({ err: refusal.cause, authorization: authorization.id }, 'a validation failed by our fault');
  const values = {
    state: refusal === undefined ? 'valid' : 'invalid',
    challenges: JSON.stringify(challenges),
    processing_since: null,
    ...(refusal === undefined && { expires_at: now + profile.settings.authorization_ttl_seconds * 1000 }),
  } as const;
  return deps.store.write(async (tx) => {
    // False when it was deactivated meanwhile, or another process was quicker.
    if (!(await moveAuthorization(tx, authorization, values))) return undefined;
    if (refusal !== undefined)
      await countFailure(
        tx,
        authorization.account_id,
        authorization.identifier,
        profile.settings.limits.failed_validations,
        now,
      );
    await appendAudit(tx, {
      actor: 'acme-system:validation',
      action: 'acme_authorization.validate',
      resource: `acme_authorization:${authorization.id}`,
      outcome: refusal === undefined ? 'done' : 'failed',
      facts: {
        account: authorization.account_id,
        profile: profile.id,
        identifier: authorization.identifier,
        type,
        ...(refusal && { problem: refusal.problem.type, detail: refusal.problem.detail }),
      },
      at: now,
    });
    return { ...authorization, ...values };
  });
}

/** Validations that began before `since` and have no outcome. */
async function stalledJobs(deps: CountingDeps, since: number): Promise<ValidationJob[]> {
  const { db } = deps.store;
  const rows = await findStalledValidations(db, since, AT_ONCE.total);
  const profiles = createProfileSource(db);
  const jobs: ValidationJob[] = [];
  for (const row of rows) {
    const stored = challengesOf(row).find(({ status }) => status === 'processing');
    const [profile, account] = await Promise.all([profiles.get(row.profile_id), findAccount(db, row.account_id)]);
    if (stored === undefined || profile === undefined || account === undefined) continue;
    jobs.push({
      authorization: row,
      type: stored.type,
      token: stored.token,
      identifier: identifierOfRow(row),
      profile,
      thumbprint: account.thumbprint,
      accountUrl: profileUrls(deps.origins()[0], profile.id).account(account.id),
    });
  }
  return jobs;
}

import { errorText } from '../base/index.ts';
import { appendEvent } from '../store/certificate-events.ts';
import { type CertificateRow, certificateById } from '../store/certificates.ts';
import { recordChange } from '../store/index.ts';
import { type IssuerRow, listIssuers } from '../store/issuers.ts';
import { type Attempt, attemptIssue } from './attempt.ts';
import { type Loaded, loadFacts, namesOf } from './facts.ts';
import type { IssuerConnections } from './issuers.ts';
import { isLeaseLost, type Lease, underLease } from './lease.ts';
import { planStep, type Step } from './plan.ts';
import type { Engine } from './ports.ts';
import { removeCertificate } from './removal.ts';
import { askRenewalInfo } from './renewal-info.ts';
import { tellCa } from './revocation.ts';

export interface Reconciling {
  readonly engine: Engine;
  readonly connections: IssuerConnections;
}

interface Situation extends Loaded {
  readonly row: CertificateRow;
  readonly lease: Lease;
  readonly issuers: ReadonlyMap<string, IssuerRow>;
}

// A plan that never comes to rest is a defect of ours; it must not become a busy loop.
const MOST_STEPS = 8;
const UNEXPECTED_PAUSE_MS = 5 * 60_000;

/** Takes a certificate's next steps, one after another, until the plan is to wait. */
export async function reconcileCertificate(to: Reconciling, id: string, signal: AbortSignal): Promise<void> {
  const { engine } = to;
  await underLease(engine, id, signal, async (lease, claimed) => {
    let row: CertificateRow | undefined = claimed;
    try {
      const issuers = new Map((await listIssuers(engine.store.db)).map((issuer) => [issuer.id, issuer]));
      for (let steps = 0; row !== undefined; steps++) {
        const loaded = await loadFacts(engine.store.db, row, (issuerId) => issuers.get(issuerId)?.staging === 1);
        const step = planStep(loaded.facts, { graceMs: engine.graceMs }, engine.clock.now());
        if (step.do === 'wait' || steps === MOST_STEPS) return await rest(engine, lease, step);
        await take(to, { ...loaded, row, lease, issuers }, step);
        row = await certificateById(engine.store.db, id);
      }
    } catch (error) {
      if (isLeaseLost(error)) engine.log.warn({ certificate: id }, 'another process has taken over this certificate');
      else if (signal.aborted) await release(engine, lease, engine.clock.now());
      else {
        engine.log.error({ certificate: id, error: errorText(error) }, 'a step of a certificate failed unexpectedly');
        await release(engine, lease, engine.clock.now() + UNEXPECTED_PAUSE_MS);
      }
    }
  });
}

async function take(to: Reconciling, at: Situation, step: Exclude<Step, { do: 'wait' }>): Promise<void> {
  const { engine, connections } = to;
  const { lease, row, served, issuers } = at;
  switch (step.do) {
    case 'issue': {
      const attempt: Attempt = { engine, connections, issuers, lease, row, why: step.why, ...(served && { served }) };
      return attemptIssue(attempt);
    }
    case 'tell-ca':
      return tellCa(to, at.issuers, lease, row, step.versionId);
    case 'ask-renewal-info':
      return askRenewalInfo(to, at.issuers, lease, row, served!);
    case 'note-expiry':
      return noteExpiry(engine, lease, row);
    case 'remove':
      return removeCertificate(engine, lease, row);
  }
}

async function noteExpiry(engine: Engine, lease: Lease, row: CertificateRow): Promise<void> {
  const now = engine.clock.now();
  await engine.store.write(async (tx) => {
    await lease.update(tx, { status: 'expired' });
    const words = 'expired; it is served on until there is another';
    await appendEvent(tx, { certificateId: row.id, at: now, kind: 'expired', words });
    await recordChange(tx, 'certificate', row.id, now);
  });
  engine.log.error({ certificate: row.id, names: namesOf(row) }, 'the certificate that is served has expired');
}

/** Nothing to do until then; the lease is given back. */
async function rest(engine: Engine, lease: Lease, step: Step): Promise<void> {
  // Eight steps and no rest: an hour's pause, and the log says so.
  const until = step.do === 'wait' ? step.until : engine.clock.now() + 3_600_000;
  if (step.do !== 'wait') engine.log.error({ certificate: lease.id, step: step.do }, 'the plan does not come to rest');
  await release(engine, lease, until ?? null);
}

async function release(engine: Engine, lease: Lease, nextAttemptAt: number | null): Promise<void> {
  lease.end();
  await engine.store.write(async (tx) => {
    const row = await certificateById(tx, lease.id);
    // Somebody asked for something while we were at work: that is due at once.
    const asked = row !== undefined && row.lease_token === lease.token && row.asked_again === 1;
    const next = asked ? engine.clock.now() : nextAttemptAt;
    await lease.update(tx, { lease_until: 0, lease_holder: null, next_attempt_at: next, asked_again: 0 });
  });
}

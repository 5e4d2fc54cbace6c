import { Fault } from '../base/index.ts';
import { type CertificateRow, certificateById, updateCertificate } from '../store/certificates.ts';
import type { Db } from '../store/index.ts';
import type { Engine } from './ports.ts';

/** The right to work on one certificate. Its token is checked at every write, so a holder that slept changes nothing. */
export interface Lease {
  readonly id: string;
  readonly token: number;
  /** Aborted when the lease is lost or the engine stops. */
  readonly signal: AbortSignal;
  /** Changes the row; throws (and so undoes the whole write) when the lease has passed to another. */
  update(tx: Db, change: Partial<CertificateRow>): Promise<void>;
  /** It is about to be given back, so it is not renewed any more: a renewal after that would hold it for nobody. */
  end(): void;
}

/**
 * Takes the lease and runs `work` under it, renewing it meanwhile. A certificate whose holder dies becomes due by itself
 * when the lease runs out. Answers false when another holds it.
 */
export async function underLease(
  engine: Engine,
  id: string,
  outer: AbortSignal,
  work: (lease: Lease, row: CertificateRow) => Promise<void>,
): Promise<boolean> {
  const { store, clock, holder, leaseMs } = engine;
  const row = await store.write(async (tx) => {
    const now = clock.now();
    const found = await certificateById(tx, id);
    if (found === undefined) return undefined;
    // A lease that ends later than any lease can was taken under a clock that was wrong.
    if (found.lease_until > now && found.lease_until <= now + 2 * leaseMs) return undefined;
    const until = now + leaseMs;
    const change = {
      lease_token: found.lease_token + 1,
      lease_holder: holder,
      lease_until: until,
      next_attempt_at: until,
    };
    const taken = await updateCertificate(tx, id, change, found.updated_at, found.lease_token);
    return taken ? { ...found, ...change } : undefined;
  });
  if (row === undefined) return false;
  const token = row.lease_token;
  const lost = new AbortController();
  const done = new AbortController();
  const lease: Lease = {
    id,
    token,
    signal: AbortSignal.any([outer, lost.signal]),
    async update(tx, change) {
      if (!(await updateCertificate(tx, id, change, clock.now(), token))) throw leaseLost(id);
    },
    end: () => done.abort(DONE),
  };
  const renewing = keep(engine, lease, lost, AbortSignal.any([outer, done.signal]));
  try {
    await work(lease, row);
  } finally {
    lease.end();
    await renewing;
  }
  return true;
}

// A reason made once: making one each time would take a stack trace each time.
const DONE = new Error('done');

async function keep(engine: Engine, lease: Lease, lost: AbortController, ended: AbortSignal): Promise<void> {
  const { store, clock, leaseMs } = engine;
  for (;;) {
    try {
      await clock.sleep(leaseMs / 3, ended);
    } catch {
      return;
    }
    const until = clock.now() + leaseMs;
    try {
      await store.write(async (tx) => {
        if (!ended.aborted) await lease.update(tx, { lease_until: until, next_attempt_at: until });
      });
    } catch (error) {
      // Only what says that the lease is gone ends the work; a store that is away for a moment does not.
      if (isLeaseLost(error)) return lost.abort(error);
    }
  }
}

const leaseLost = (id: string) =>
  new Fault({
    code: 'lease_lost',
    detail: `another process has taken over ${id}`,
    party: 'cluster',
    retry: 'backoff',
  });

export const isLeaseLost = (error: unknown): boolean => error instanceof Fault && error.code === 'lease_lost';

import { errorText, Fault } from '../base/index.ts';
import type { Db } from './store.ts';

interface Waiting {
  settle(failure?: unknown): void;
}
interface Job extends Waiting {
  /** `first`: nothing else was written in the transaction yet, so that all of it may be undone. */
  run(tx: Db, first: boolean): Promise<void>;
  committed(): void;
}

/** The connection that writes, and the disk beneath it. */
export interface CommitTarget {
  /** Runs a statement without parameters: `begin`, `savepoint` and their like. */
  execute(text: string): void;
  /** Resolves when everything committed before the call would survive a power cut. */
  sync(): Promise<void>;
  /** Called after each commit. */
  committed?(): void;
}

const MOST_PER_COMMIT = 128;

/**
 * Writes that arrive while one commit is under way share the next one: each after the first runs in a savepoint, in
 * order of arrival, so one that fails undoes only itself. They are acknowledged when the disk has confirmed the commit. That
 * wait, a fraction of a millisecond to several, happens outside of the event loop: meanwhile requests are read and
 * further commits written, and the next confirmation covers all of them.
 */
export function createGroupCommit(db: Db, target: CommitTarget) {
  let queue: Job[] = [];
  let writing: Promise<void> | undefined;
  let unconfirmed: Waiting[] = [];
  let inFlight: Waiting[] = [];
  let confirming: Promise<void> | undefined;
  let broken: Fault | undefined;

  function write<T>(work: (tx: Db) => Promise<T>, committed?: (value: T) => void): Promise<T> {
    if (broken !== undefined) return Promise.reject(broken);
    return new Promise<T>((resolve, reject) => {
      let settle: () => void;
      let tell = () => {};
      queue.push({
        async run(tx, first) {
          if (!first) target.execute('savepoint job');
          try {
            const value = await work(tx);
            settle = () => resolve(value);
            tell = () => committed?.(value);
          } catch (error) {
            settle = () => reject(error);
            if (!first) target.execute('rollback to job');
            else {
              target.execute('rollback');
              target.execute('begin immediate');
            }
          }
          if (!first) target.execute('release job');
        },
        committed: () => tell(),
        settle: (failure) => (failure === undefined ? settle() : reject(failure)),
      });
      writing ??= drain();
    });
  }

  async function drain(): Promise<void> {
    // Wait for the turn's other writers before each commit.
    await nextTurn();
    while (queue.length > 0) {
      const jobs = queue.slice(0, MOST_PER_COMMIT);
      queue = queue.slice(MOST_PER_COMMIT);
      try {
        target.execute('begin immediate');
        for (const [index, job] of jobs.entries()) await job.run(db, index === 0);
        target.execute('commit');
      } catch (error) {
        rollback();
        for (const job of jobs) job.settle(error ?? new Error('commit failed'));
        continue;
      }
      unconfirmed.push(...jobs);
      confirming ??= confirm();
      target.committed?.();
      for (const job of jobs) job.committed();
      await nextTurn();
    }
    writing = undefined;
  }

  function rollback(): void {
    try {
      target.execute('rollback');
    } catch {
      // There was no transaction: `begin` itself had failed.
    }
  }

  async function confirm(): Promise<void> {
    while (unconfirmed.length > 0) {
      inFlight = unconfirmed;
      unconfirmed = [];
      let failure: unknown;
      try {
        await target.sync();
      } catch (error) {
        failure = broken = diskFailed(error);
      }
      const settled = inFlight;
      inFlight = [];
      for (const waiting of settled) waiting.settle(failure);
    }
    confirming = undefined;
  }

  /** Resolves when everything that was committed before the call is confirmed: what a reader may have seen by then. */
  function confirmed(): Promise<void> | undefined {
    if (confirming === undefined) return undefined;
    const batch = unconfirmed.length > 0 ? unconfirmed : inFlight;
    return new Promise((resolve, reject) =>
      batch.push({ settle: (failure) => (failure === undefined ? resolve() : reject(failure)) }),
    );
  }

  return {
    write,
    confirmed,
    async idle() {
      while (writing !== undefined || confirming !== undefined) await (writing ?? confirming);
    },
  };
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** After a failed sync the kernel may call lost pages clean, so a later one proves nothing: writing stops for good. */
function diskFailed(cause: unknown): Fault {
  return new Fault(
    {
      code: 'store_disk_failed',
      detail: `the disk did not confirm a write (${errorText(cause)}), so nothing more is written; see to the disk and start again`,
      party: 'us',
      retry: 'never',
    },
    cause,
  );
}

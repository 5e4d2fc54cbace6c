import { errorText, Fault } from '../base/index.ts';
import type { Db } from './store.ts';

interface Job {
  /** Runs once, or a second time after everything was undone. False when it failed. */
  run(tx: Db): Promise<boolean>;
  /** The commit is made, and the disk has not confirmed it yet. */
  committed(): void;
  settle(failure?: unknown): void;
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
 * Writes that arrive while one commit is made and confirmed share the next one, in order of arrival; one that fails undoes
 * only itself. They are acknowledged when the disk has confirmed the commit. That wait, a fraction of a millisecond to
 * several, happens outside of the event loop: meanwhile requests are read, and further writes gather.
 */
export function createGroupCommit(db: Db, target: CommitTarget) {
  let queue: Job[] = [];
  let draining: Promise<void> | undefined;
  let confirming: Promise<void> | undefined;
  let broken: Fault | undefined;

  function write<T>(work: (tx: Db) => Promise<T>, committed?: (value: T) => void): Promise<T> {
    if (broken !== undefined) return Promise.reject(broken);
    return new Promise<T>((resolve, reject) => {
      let outcome: { value: T } | { error: unknown };
      queue.push({
        async run(tx) {
          try {
            outcome = { value: await work(tx) };
            return true;
          } catch (error) {
            outcome = { error };
            return false;
          }
        },
        committed() {
          if ('value' in outcome) committed?.(outcome.value);
        },
        settle(failure) {
          if (failure !== undefined) reject(failure);
          else if ('value' in outcome) resolve(outcome.value);
          else reject(outcome.error);
        },
      });
      draining ??= drain();
    });
  }

  async function drain(): Promise<void> {
    while (queue.length > 0) {
      // Wait for the turn's other writers before each commit.
      await nextTurn();
      const jobs = queue.slice(0, MOST_PER_COMMIT);
      queue = queue.slice(MOST_PER_COMMIT);
      try {
        if (!(await commitTogether(jobs)) && !(await commitApart(jobs))) continue;
      } catch (error) {
        rollback();
        for (const job of jobs) job.settle(error ?? new Error('commit failed'));
        continue;
      }
      confirming = confirm();
      target.committed?.();
      for (const job of jobs) job.committed();
      const failure = await confirming.then(
        () => undefined,
        (error: unknown) => error,
      );
      confirming = undefined;
      for (const job of jobs) job.settle(failure);
      if (broken !== undefined) for (const job of queue.splice(0)) job.settle(broken);
    }
    draining = undefined;
  }

  /** False when one failed: then all of it was undone. */
  async function commitTogether(jobs: readonly Job[]): Promise<boolean> {
    target.execute('begin immediate');
    for (const job of jobs) {
      if (await job.run(db)) continue;
      rollback();
      return false;
    }
    target.execute('commit');
    return true;
  }

  /** Each behind a savepoint, which costs as much as a small write: only for a group in which one failed. False when nothing is left. */
  async function commitApart(jobs: readonly Job[]): Promise<boolean> {
    if (jobs.length === 1) {
      jobs[0]!.settle();
      return false;
    }
    target.execute('begin immediate');
    for (const job of jobs) {
      target.execute('savepoint job');
      if (!(await job.run(db))) target.execute('rollback to job');
      target.execute('release job');
    }
    target.execute('commit');
    return true;
  }

  function rollback(): void {
    try {
      target.execute('rollback');
    } catch {
      // There was no transaction: `begin` itself had failed.
    }
  }

  async function confirm(): Promise<void> {
    try {
      await target.sync();
    } catch (error) {
      broken = diskFailed(error);
      throw broken;
    }
  }

  return {
    write,
    /** Resolves when everything that was committed before the call is confirmed: what a reader may have seen by then. */
    confirmed: (): Promise<void> | undefined => confirming,
    async idle() {
      while (draining !== undefined) await draining;
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

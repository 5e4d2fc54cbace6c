/** What waits, as far as its turn depends on it. */
export interface Waiting {
  readonly id: string;
  readonly account: string;
  readonly type: string;
}

/** How many may be under way at once. */
export interface Shares {
  readonly total: number;
  /** Of one type, so that slow answers to one challenge leave room for the others. */
  readonly type: number;
  /** Of one account, so that whoever lets everything time out does not take it all. */
  readonly account: number;
}

export interface FairLines<Job extends Waiting> {
  /** False when a job of this id waits or is under way already. */
  add(job: Job): boolean;
  /** The next job that may begin, which is under way from then on; undefined when none may. */
  take(): Job | undefined;
  done(job: Job): void;
  readonly underWay: number;
  readonly waiting: number;
}

/** Jobs of accounts in turn: one with a thousand waiting delays another's first by one place only. */
export function createFairLines<Job extends Waiting>(shares: Shares): FairLines<Job> {
  const lines = new Map<string, Map<string, Job[]>>();
  const known = new Set<string>();
  const running = { account: new Map<string, number>(), type: new Map<string, number>(), total: 0 };
  const countOf = (kind: 'account' | 'type', key: string) => running[kind].get(key) ?? 0;
  const count = ({ account, type }: Job, step: 1 | -1) => {
    running.total += step;
    running.account.set(account, countOf('account', account) + step);
    running.type.set(type, countOf('type', type) + step);
    if (countOf('account', account) === 0) running.account.delete(account);
  };

  function takeFrom(account: string, byType: Map<string, Job[]>): Job | undefined {
    const found = [...byType].find(([type]) => countOf('type', type) < shares.type);
    if (found === undefined) return undefined;
    const [type, line] = found;
    const job = line.shift()!;
    // To the back, as type and as account, so that the next ones come first.
    byType.delete(type);
    if (line.length > 0) byType.set(type, line);
    lines.delete(account);
    if (byType.size > 0) lines.set(account, byType);
    return job;
  }

  return {
    add(job) {
      if (known.has(job.id)) return false;
      known.add(job.id);
      const byType = lines.get(job.account) ?? new Map<string, Job[]>();
      lines.set(job.account, byType);
      byType.set(job.type, [...(byType.get(job.type) ?? []), job]);
      return true;
    },
    take() {
      if (running.total >= shares.total) return undefined;
      for (const [account, byType] of lines) {
        if (countOf('account', account) >= shares.account) continue;
        const job = takeFrom(account, byType);
        if (job === undefined) continue;
        count(job, 1);
        return job;
      }
      return undefined;
    },
    done(job) {
      known.delete(job.id);
      count(job, -1);
    },
    get underWay() {
      return running.total;
    },
    get waiting() {
      return known.size - running.total;
    },
  };
}

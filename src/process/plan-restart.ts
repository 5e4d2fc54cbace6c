/** How a run of a child ended. */
export interface RunEnd {
  readonly startedAt: number;
  readonly endedAt: number;
}

export interface RestartPlan {
  readonly waitMs: number;
  /** Runs in a row that ended soon after their start. */
  readonly failures: number;
}

const SETTLED_MS = 30_000;
const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 15_000;

/** A child that had run for a while is started again at once; one that ends early again and again waits longer. */
export function planRestart(end: RunEnd, failuresBefore: number): RestartPlan {
  if (end.endedAt - end.startedAt >= SETTLED_MS) return { waitMs: 0, failures: 1 };
  const failures = failuresBefore + 1;
  const waitMs = failures === 1 ? 0 : Math.min(FIRST_WAIT_MS * 2 ** (failures - 2), LONGEST_WAIT_MS);
  return { waitMs, failures };
}

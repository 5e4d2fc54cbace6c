import { type Clock, Fault } from '../base/index.ts';
import type { Polled } from './order.ts';

// From hardly at all to polite: a CA nearby is done in milliseconds, and one far away is asked ten times in ten seconds.
const FIRST_MS = 15;
const GROWTH = 1.8;
const LONGEST_MS = 5_000;
// A CA that says "in an hour" while somebody waits is asked in a minute all the same.
const LONGEST_RETRY_AFTER_MS = 60_000;

/** Asks until `done`; at the CA's Retry-After where it gives one, else after short pauses that grow. */
export async function poll<T>(
  clock: Clock,
  first: Polled<T> | undefined,
  ask: () => Promise<Polled<T>>,
  done: (value: T) => boolean,
  signal: AbortSignal,
): Promise<T> {
  let pause = FIRST_MS;
  for (let latest = first; ; latest = await ask()) {
    if (latest !== undefined && done(latest.value)) return latest.value;
    const asked = latest?.retryAt === undefined ? undefined : latest.retryAt - clock.now();
    await clock.sleep(
      asked === undefined ? pause : Math.min(Math.max(asked, FIRST_MS), LONGEST_RETRY_AFTER_MS),
      signal,
    );
    pause = Math.min(pause * GROWTH, LONGEST_MS);
  }
}

// A reason made once: making one each time would take a stack trace each time.
const DONE = new Error('done');

/** A signal that also ends after `ms` of the clock; `stop` lets go of it. */
export function deadline(clock: Clock, ms: number, what: string, outer?: AbortSignal) {
  const own = new AbortController();
  const ended = new AbortController();
  clock.sleep(ms, ended.signal).then(
    () =>
      own.abort(
        new Fault({
          code: 'ca_too_slow',
          detail: `${what} was not done within ${Math.round(ms / 1000)} s`,
          party: 'ca',
          retry: 'backoff',
        }),
      ),
    () => {},
  );
  return {
    signal: outer === undefined ? own.signal : AbortSignal.any([outer, own.signal]),
    stop: () => ended.abort(DONE),
  };
}

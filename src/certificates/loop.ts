import { errorText } from '../base/index.ts';
import { type DueCertificate, dueCertificates, nextDue } from '../store/certificates.ts';
import { registeredDomain } from '../x509/index.ts';
import { issuersOf, namesOf } from './facts.ts';
import { forgetIdleQuota } from './quota-ledger.ts';
import { type Reconciling, reconcileCertificate } from './reconcile.ts';

export interface Loop {
  /** Looks for work now. */
  wake(): void;
  /** Works until the signal; resolves when everything that was begun has ended or been given back. */
  run(signal: AbortSignal): Promise<void>;
  /** Certificates being worked on. */
  active(): number;
}

// A reason made once: making one each time would take a stack trace each time.
const OVER = new Error('over');

const TIDY_MS = 3_600_000;

// Due ones that found no room are kept this long before the store is asked again: with a long queue, asking at each end
// of a step would cost more than the steps.
const KEPT_MS = 1_000;

/** Looks for due certificates and works on many at once, within the bounds for an issuer and a DNS zone. */
export function createLoop(to: Reconciling): Loop {
  const { engine } = to;
  const { store, clock, log, concurrency, pollMs } = engine;
  const active = new Map<string, { readonly keys: readonly string[] }>();
  const counts = new Map<string, number>();
  let awake = () => {};
  let woken = true;
  let tidiedAt = 0;
  let waiting: { readonly rows: readonly DueCertificate[]; readonly readAt: number } = { rows: [], readAt: 0 };

  const wake = () => {
    woken = true;
    awake();
  };

  /** What a certificate counts for: its first issuer, and its DNS zone where it is validated there. */
  const keysOf = (row: DueCertificate): string[] => {
    const viaDns = row.challenge.startsWith('dns-') || row.dns_credential_id !== null;
    return [
      `issuer ${issuersOf(row)[0] ?? ''}`,
      ...(viaDns ? [...new Set(namesOf(row).map((name) => `zone ${registeredDomain(name)}`))] : []),
    ];
  };
  const fits = (keys: readonly string[]) =>
    keys.every((key) => (counts.get(key) ?? 0) < (key.startsWith('zone ') ? concurrency.zone : concurrency.issuer));
  const count = (keys: readonly string[], by: 1 | -1) => {
    for (const key of keys) {
      const next = (counts.get(key) ?? 0) + by;
      if (next === 0) counts.delete(key);
      else counts.set(key, next);
    }
  };

  /** Counts that are all free again need no row. */
  async function tidy(): Promise<void> {
    const now = clock.now();
    if (now - tidiedAt < TIDY_MS && now >= tidiedAt) return;
    tidiedAt = now;
    await store.write((tx) => forgetIdleQuota(tx, now));
  }

  async function startDue(signal: AbortSignal): Promise<void> {
    if (active.size >= concurrency.total) return;
    const age = clock.now() - waiting.readAt;
    if (waiting.rows.length > 0 && age >= 0 && age < KEPT_MS) {
      startThoseThatFit(signal);
      if (waiting.rows.length > 0) return;
    }
    const now = clock.now();
    waiting = { rows: await dueCertificates(store.db, now, concurrency.total * 4), readAt: now };
    startThoseThatFit(signal);
  }

  function startThoseThatFit(signal: AbortSignal): void {
    const left: DueCertificate[] = [];
    for (const row of waiting.rows) {
      if (active.has(row.id)) continue;
      const keys = keysOf(row);
      if (active.size >= concurrency.total || !fits(keys)) left.push(row);
      else start(row.id, keys, signal);
    }
    waiting = { ...waiting, rows: left };
  }

  function start(id: string, keys: readonly string[], signal: AbortSignal): void {
    active.set(id, { keys });
    count(keys, 1);
    reconcileCertificate(to, id, signal)
      .catch((error: unknown) =>
        log.error({ certificate: id, error: errorText(error) }, 'a certificate could not be worked on'),
      )
      .finally(() => {
        active.delete(id);
        count(keys, -1);
        wake();
      });
  }

  /** Until something is due, somebody wakes us, or it is time to see what other processes left. */
  async function pause(signal: AbortSignal): Promise<void> {
    if (woken) return;
    const next = await nextDue(store.db);
    if (woken) return;
    const now = clock.now();
    // What is due and not begun waits for room, and room wakes us.
    const ms = next === undefined || next <= now ? pollMs : Math.min(next - now, pollMs);
    const ended = new AbortController();
    await new Promise<void>((resolve) => {
      awake = resolve;
      clock.sleep(ms, AbortSignal.any([signal, ended.signal])).then(resolve, () => resolve());
    });
    ended.abort(OVER);
  }

  return {
    wake,
    active: () => active.size,
    async run(signal) {
      while (!signal.aborted) {
        woken = false;
        try {
          await tidy();
          await startDue(signal);
          await pause(signal);
        } catch (error) {
          log.error({ error: errorText(error) }, 'due certificates could not be looked for');
          await clock.sleep(pollMs, signal).catch(() => {});
        }
      }
      while (active.size > 0) {
        await new Promise<void>((resolve) => {
          awake = resolve;
        });
      }
    },
  };
}

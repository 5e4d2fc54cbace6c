import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Clock, errorText, Fault, faultOf, type Logger } from '../../base/index.ts';
import type { ServedCertificate } from '../../picture/index.ts';
import { type CertificatePair, isInTime, readPair, servedAs } from './certificate-pair.ts';
import { lockDirectory } from './lock-directory.ts';

/** PEM of a chain and of its key. */
export interface ManagedPair {
  readonly chain: string;
  readonly key: string;
}

/** Where certificates come from that somebody else manages. */
export interface ManagedSource {
  /** All of them, or undefined when they are the same as at the answer with this tag. */
  fetch(etag: string | undefined, signal: AbortSignal): Promise<ManagedAnswer | undefined>;
  close(): Promise<void>;
}
export interface ManagedAnswer {
  readonly pairs: readonly ManagedPair[];
  readonly etag: string | undefined;
}

export interface ManagedKeeperDeps {
  readonly source: ManagedSource;
  readonly cacheDir: string;
  serve(certificate: ServedCertificate): void;
  withdraw(id: string): void;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface ManagedKeeper {
  /** Resolves when what the control half has is served, or what it had; rejects when it is away and nothing is known. */
  start(): Promise<void>;
  status(): { readonly names: readonly string[]; readonly notAfter: number }[];
  served(): Iterable<string>;
  stop(): Promise<void>;
}

const LOOK_MS = 5_000;
const MOST_WAIT_MS = 60_000;
const FILE = 'managed.json';

/** Serves the certificates of a control half elsewhere, and goes on with those that it has when that one is away. */
export function createManagedKeeper(listener: string, deps: ManagedKeeperDeps): ManagedKeeper {
  const { source, cacheDir, clock } = deps;
  const log = deps.log.child({ listener });
  const lock = lockDirectory(cacheDir);
  const stopping = new AbortController();
  const served = new Map<string, CertificatePair>();
  let etag: string | undefined;
  let failures = 0;
  let running: Promise<void> | undefined;

  const adopt = (pairs: readonly ManagedPair[]) => {
    const now = new Set<string>();
    for (const { chain, key } of pairs)
      try {
        const pair = readPair(chain, key);
        const id = `${listener}/${pair.facts.fingerprint}`;
        now.add(id);
        if (served.has(id)) continue;
        served.set(id, pair);
        deps.serve(servedAs(id, pair));
      } catch (error) {
        log.warn({}, `a certificate of the control half is not used: ${errorText(error)}`);
      }
    for (const id of [...served.keys()])
      if (!now.has(id)) {
        served.delete(id);
        deps.withdraw(id);
      }
  };
  const look = async () => {
    const answer = await source.fetch(etag, stopping.signal);
    if (answer === undefined) return;
    etag = answer.etag;
    adopt(answer.pairs);
    write(cacheDir, answer.pairs);
    log.info({ certificates: served.size }, 'certificates of the control half are served');
  };
  const loop = async () => {
    while (!stopping.signal.aborted) {
      const wait = Math.min(LOOK_MS * 2 ** failures, MOST_WAIT_MS);
      await clock.sleep(wait, stopping.signal).catch(() => {});
      if (stopping.signal.aborted) return;
      try {
        await look();
        failures = 0;
      } catch (error) {
        failures++;
        log.warn(
          { failures },
          `the control half gives no certificates; those that are served stay: ${errorText(error)}`,
        );
      }
    }
  };

  return {
    async start() {
      adopt(read(cacheDir));
      try {
        await look();
        if (served.size === 0)
          log.warn({}, 'the control half has no certificate yet; handshakes are refused until it has');
      } catch (error) {
        if (![...served.values()].some((pair) => isInTime(pair, clock.now()))) throw noneKnown(listener, error);
        failures++;
        log.warn(
          {},
          `the control half does not answer; certificates that it gave earlier are served: ${errorText(error)}`,
        );
      }
      running = loop();
    },
    status: () => [...served.values()].map(({ facts: { names, notAfter } }) => ({ names, notAfter })),
    served: () => served.keys(),
    async stop() {
      stopping.abort(new Error('stopped'));
      await running;
      await source.close();
      lock.release();
    },
  };
}

function noneKnown(listener: string, error: unknown): Fault {
  const { details } = faultOf(error);
  const detail = `listener ${listener}: the control half gives no certificates, and none that it gave earlier is in its time: ${errorText(error)}`;
  return new Fault({ ...details, code: 'no_certificate', detail }, error);
}

/** What cannot be read is got again. */
function read(cacheDir: string): readonly ManagedPair[] {
  try {
    const pairs = JSON.parse(readFileSync(join(cacheDir, FILE), 'utf8')) as unknown;
    return Array.isArray(pairs) ? pairs : [];
  } catch {
    return [];
  }
}

function write(cacheDir: string, pairs: readonly ManagedPair[]): void {
  const draft = join(cacheDir, `${FILE}.new`);
  writeFileSync(draft, JSON.stringify(pairs), { mode: 0o600, flush: true });
  renameSync(draft, join(cacheDir, FILE));
}

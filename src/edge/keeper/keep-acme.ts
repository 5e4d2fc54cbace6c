import { createPrivateKey } from 'node:crypto';
import { type Clock, errorText, Fault, faultOf, inUtc, type Logger } from '../../base/index.ts';
import type { ServedCertificate } from '../../picture/index.ts';
import { generateKey, type KeyType, keyPem, matchesName } from '../../x509/index.ts';
import type { CacheDirectory, Progress } from './cache-directory.ts';
import { type CertificatePair, isInTime, readPair, servedAs } from './certificate-pair.ts';
import type { Issuance, RenewalWindow } from './issuance.ts';
import { type KeepingFacts, planKeeping } from './plan-keeping.ts';

export interface AcmeKeeperOptions {
  readonly listener: string;
  /** In canonical form. */
  readonly names: readonly string[];
  readonly keyType: KeyType;
}

export interface AcmeKeeperDeps {
  readonly cache: CacheDirectory;
  readonly issuance: Issuance;
  /** Makes a certificate the one that is served from the next handshake on. */
  serve(certificate: ServedCertificate): void;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface AcmeKeeper {
  /**
   * Resolves when a certificate for every name is served: from the cache, or got now. Rejects, with why, when neither is
   * to be had; a cached one that has expired is not.
   */
  start(): Promise<void>;
  status(): KeeperStatus;
  /** Tries now, whatever was waited for. */
  renew(): void;
  stop(): Promise<void>;
}

export interface KeeperStatus {
  readonly names: readonly string[];
  readonly notAfter: number | undefined;
  readonly nextAttemptAt: number | undefined;
  readonly failures: number;
  readonly problem: string | undefined;
}

// How often an expired certificate is spoken of, and the longest rest.
const HOUR = 3_600_000;

export function createAcmeKeeper(options: AcmeKeeperOptions, deps: AcmeKeeperDeps): AcmeKeeper {
  const { cache, issuance, clock } = deps;
  const log = deps.log.child({ listener: options.listener });
  const stopping = new AbortController();
  let current: CertificatePair | undefined;
  let progress: Progress = { failures: 0 };
  let window: RenewalWindow | undefined;
  let nextAttemptAt: number | undefined;
  let wake = new AbortController();
  let running: Promise<void> | undefined;

  const covers = ({ facts }: CertificatePair) =>
    options.names.every((name) => facts.names.some((own) => matchesName(own, name)));
  const facts = (): KeepingFacts => ({
    cached: current && {
      fingerprint: current.facts.fingerprint,
      notBefore: current.facts.notBefore,
      notAfter: current.facts.notAfter,
      covers: covers(current),
    },
    failures: progress.failures,
    lastAttemptAt: progress.lastAttemptAt,
    notBefore: progress.notBefore,
    window,
  });
  const adopt = (pair: CertificatePair) => {
    current = pair;
    window = undefined;
    deps.serve(servedAs(options.listener, pair));
  };
  const note = (next: Progress) => {
    progress = next;
    cache.saveProgress(next);
  };

  const obtain = async (): Promise<void> => {
    const begun = cache.attempt();
    const same = begun !== undefined && begun.names.join() === options.names.join();
    const key = same ? createPrivateKey(begun.key) : await generateKey(options.keyType);
    const attempt = { names: options.names, key: keyPem(key) };
    if (!same) cache.saveAttempt(attempt);
    try {
      const chain = await issuance.obtain({
        names: options.names,
        key,
        replaces: current?.facts.pem,
        resume: same ? begun.orderUrl : undefined,
        onOrder: (orderUrl) => cache.saveAttempt({ ...attempt, orderUrl }),
        signal: stopping.signal,
      });
      const pair = readPair(chain, attempt.key);
      cache.saveCertificate(pair);
      cache.saveAttempt(undefined);
      note({ failures: 0 });
      adopt(pair);
      log.info({ names: options.names, notAfter: new Date(pair.facts.notAfter) }, 'a new certificate is served');
    } catch (error) {
      if (stopping.signal.aborted) throw error;
      const { retry } = faultOf(error).details;
      note({
        failures: progress.failures + 1,
        lastAttemptAt: clock.now(),
        ...(typeof retry === 'object' && { notBefore: retry.notBefore }),
        problem: errorText(error),
      });
      throw error;
    }
  };

  /** At the start the table is strict: no certificate in its time and for every name, no start. */
  const obtainOrRefuse = async (): Promise<void> => {
    const pair = current;
    const state =
      pair === undefined
        ? 'there is no certificate in the cache'
        : isInTime(pair, clock.now())
          ? `the cached certificate is for ${pair.facts.names.join(', ')} only`
          : `the cached certificate expired on ${inUtc(pair.facts.notAfter)}`;
    try {
      // An operator who starts it anew has mended something; only what the CA said still holds.
      if ((progress.notBefore ?? 0) > clock.now()) throw tooEarly(progress);
      await obtain();
    } catch (error) {
      const { details } = faultOf(error);
      const detail = `listener ${options.listener}: ${state}, and none could be got for ${options.names.join(', ')}: ${errorText(error)}`;
      throw new Fault({ ...details, code: 'no_certificate', detail, advice: ADVICE }, error);
    }
  };

  const loop = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      await lookAtWindow();
      const now = clock.now();
      const plan = planKeeping(facts(), now);
      if (plan.step === 'obtain') await obtain().catch(complain);
      else {
        nextAttemptAt = plan.until;
        await rest(Math.min(plan.until - now, HOUR));
        complainOfExpiry();
      }
    }
  };
  const rest = async (ms: number) => {
    wake = new AbortController();
    const signal = AbortSignal.any([wake.signal, stopping.signal]);
    await clock.sleep(ms, signal).catch(() => {});
  };
  const complain = (error: unknown) => {
    if (stopping.signal.aborted) return;
    const served = current && isInTime(current, clock.now()) ? 'the one that is served stays' : 'none is in its time';
    const line = { failures: progress.failures, names: options.names };
    log.warn(line, `the certificate could not be renewed; ${served}: ${errorText(error)}`);
    complainOfExpiry();
  };
  const complainOfExpiry = () => {
    if (current === undefined || clock.now() < current.facts.notAfter) return;
    const line = { names: options.names, notAfter: new Date(current.facts.notAfter) };
    log.error(line, 'an expired certificate is served, since no other could be got');
  };
  const lookAtWindow = async () => {
    if (current === undefined || (window !== undefined && clock.now() < window.askAgainAt)) return;
    // Advice only: without it the lifetime decides (RFC 9773 §4.3.2).
    window = await issuance.renewalWindow(current.facts.pem, stopping.signal).catch(() => window);
  };

  return {
    async start() {
      progress = cache.progress();
      const pairs = cache.certificates();
      const best = pairs.find((pair) => isInTime(pair, clock.now()) && covers(pair)) ?? pairs[0];
      if (best !== undefined) {
        current = best;
        if (isInTime(best, clock.now())) adopt(best);
      }
      if (best === undefined || !isInTime(best, clock.now()) || !covers(best)) await obtainOrRefuse();
      running = loop().catch((error: unknown) => log.error({ err: error }, 'the keeper of a certificate ended'));
    },
    status: () => ({
      names: options.names,
      notAfter: current?.facts.notAfter,
      nextAttemptAt,
      failures: progress.failures,
      problem: progress.problem,
    }),
    renew() {
      progress = { failures: 0, problem: progress.problem };
      window = { start: 0, end: 0, askAgainAt: clock.now() + HOUR };
      wake.abort();
    },
    async stop() {
      stopping.abort(new Error('stopped'));
      await running;
      await issuance.close();
      cache.release();
    },
  };
}

const ADVICE =
  'a listener starts only with a valid certificate: check that the CA can be reached, that the names resolve to this listener and that the CA reaches its ports, and start it again';

function tooEarly({ notBefore, problem }: Progress): Fault {
  const detail = `the CA asked not to be asked before ${inUtc(notBefore!)}: ${problem ?? ''}`;
  return new Fault({ code: 'rate_limited', detail, party: 'ca', retry: { notBefore: notBefore! } });
}

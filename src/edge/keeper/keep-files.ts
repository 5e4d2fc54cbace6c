import { readFileSync, statSync } from 'node:fs';
import { type Clock, errorText, Fault, inUtc, type Logger } from '../../base/index.ts';
import type { ServedCertificate } from '../../picture/index.ts';
import { type CertificatePair, isInTime, readPair, servedAs } from './certificate-pair.ts';

export interface CertificateFiles {
  /** Absolute paths. */
  readonly cert: string;
  readonly key: string;
  /** Where the configuration names them. */
  readonly field: string;
}

export interface FileKeeperDeps {
  serve(certificate: ServedCertificate): void;
  /** Has all that is served in `work` appear at once, and nothing of it when that throws. */
  batch(work: () => void): void;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface FileKeeper {
  /** Reads all; throws a `Fault` that names file and field when one is unusable or none is in its time. */
  start(): void;
  status(): { readonly names: readonly string[]; readonly notAfter: number }[];
  stop(): Promise<void>;
}

/** What is asked of a certificate after it is served: of ten thousand, chains and keys would be tens of megabytes. */
interface KeptFacts {
  readonly fingerprint: string;
  readonly names: readonly string[];
  readonly notBefore: number;
  readonly notAfter: number;
}

const keptFacts = ({ facts: { fingerprint, names, notBefore, notAfter } }: CertificatePair): KeptFacts => ({
  fingerprint,
  names,
  notBefore,
  notAfter,
});

// Polled: a mounted secret changes by a symbolic link two directories up, which no watch on the file tells of.
const LOOK_MS = 2_000;

/** Keys and certificates are several kB outside of the heap, and freed with objects that the collector takes for small. */
const { gc: collectGarbage } = globalThis as { gc?: () => void };
const COLLECT_EVERY = 1024;

/** Follows certificate files; a change that cannot be used leaves what is served, and is tried again. */
export function createFileKeeper(
  listener: string,
  files: readonly CertificateFiles[],
  { serve, batch, clock, log }: FileKeeperDeps,
): FileKeeper {
  const stopping = new AbortController();
  const seen = files.map(() => '');
  const kept: KeptFacts[] = [];
  let running: Promise<void> | undefined;

  const look = (index: number) => {
    const { cert, key } = files[index]!;
    const mark = markOf(cert) + markOf(key);
    if (mark === seen[index]) return;
    seen[index] = mark;
    try {
      const pair = readFiles(files[index]!);
      if (pair.facts.fingerprint === kept[index]?.fingerprint) return;
      kept[index] = keptFacts(pair);
      serve(servedAs(`${listener}/${index}`, pair));
      log.info({ listener, file: cert, notAfter: new Date(pair.facts.notAfter) }, 'a changed certificate is served');
    } catch (error) {
      // Perhaps one of the two is written and the other is not yet; its own change brings us back.
      log.warn({ listener, file: cert }, `changed files are not used: ${errorText(error)}`);
    }
  };
  const loop = async () => {
    while (!stopping.signal.aborted) {
      await clock.sleep(LOOK_MS, stopping.signal).catch(() => {});
      for (let index = 0; index < files.length && !stopping.signal.aborted; index++) look(index);
    }
  };

  return {
    start() {
      const now = clock.now();
      // One transaction: when a pair is unusable, none of the others is served.
      batch(() => {
        files.forEach((entry, index) => {
          seen[index] = markOf(entry.cert) + markOf(entry.key);
          const pair = readFiles(entry);
          kept[index] = keptFacts(pair);
          serve(servedAs(`${listener}/${index}`, pair));
          if (index % COLLECT_EVERY === COLLECT_EVERY - 1) collectGarbage?.();
        });
        if (!kept.some((facts) => isInTime({ facts }, now))) throw noneInTime(listener, files, kept);
      });
      kept.forEach((facts, index) => {
        if (!isInTime({ facts }, now))
          log.warn({ listener, file: files[index]!.cert }, 'a certificate is out of its time');
      });
      running = loop();
    },
    status: () => kept.map(({ names, notAfter }) => ({ names, notAfter })),
    async stop() {
      stopping.abort(new Error('stopped'));
      await running;
    },
  };
}

function markOf(path: string): string {
  try {
    const { mtimeMs, size, ino } = statSync(path);
    return `${mtimeMs}:${size}:${ino};`;
  } catch {
    return 'absent;';
  }
}

function readFiles({ cert, key, field }: CertificateFiles): CertificatePair {
  const text = (path: string, member: string) => {
    try {
      return readFileSync(path, 'utf8');
    } catch (error) {
      throw unusable(`${field}.${member}`, `${path} cannot be read: ${errorText(error)}`, error);
    }
  };
  const [chain, secret] = [text(cert, 'cert'), text(key, 'key')];
  try {
    return readPair(chain, secret);
  } catch (error) {
    throw unusable(field, `${cert} and ${key} cannot be used: ${errorText(error)}`, error);
  }
}

const unusable = (field: string, detail: string, cause?: unknown) =>
  new Fault({ code: 'certificate_unusable', detail, party: 'operator', retry: 'never', field }, cause);

function noneInTime(listener: string, files: readonly CertificateFiles[], kept: readonly KeptFacts[]): Fault {
  const ends = kept.map(({ notAfter }, i) => `${files[i]!.cert} (until ${inUtc(notAfter)})`);
  return unusable(files[0]!.field, `listener ${listener} has no certificate in its time: ${ends.join(', ')}`);
}

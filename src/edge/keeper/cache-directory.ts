import { readdirSync, readFileSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorText, type Logger } from '../../base/index.ts';
import { parsePem } from '../../x509/index.ts';
import { type CertificatePair, readPair } from './certificate-pair.ts';
import { lockDirectory } from './lock-directory.ts';

/** What an ACME listener keeps between restarts: its account, its certificates and where it stands with the CA. */
export interface CacheDirectory {
  /** Good pairs, the one that lasts longest first; what cannot be read is set aside with a warning. */
  certificates(): CertificatePair[];
  saveCertificate(pair: CertificatePair): void;
  account(): { readonly key: string; readonly url?: string; readonly directory?: string } | undefined;
  saveAccount(account: { readonly key: string; readonly url?: string; readonly directory?: string }): void;
  /** Key and order of an attempt that is under way, so that a restart goes on with it. */
  attempt(): Attempt | undefined;
  saveAttempt(attempt: Attempt | undefined): void;
  progress(): Progress;
  saveProgress(progress: Progress): void;
  release(): void;
}

export interface Attempt {
  readonly names: readonly string[];
  /** PEM. */
  readonly key: string;
  readonly orderUrl?: string;
}

export interface Progress {
  readonly failures: number;
  readonly lastAttemptAt?: number;
  /** Not before this time, the CA said. */
  readonly notBefore?: number;
  readonly problem?: string;
}

const CERTIFICATE = /^certificate-[0-9a-f]+\.pem$/;
const KEPT = 3;

/** Takes the directory for this process; throws a `Fault` when another has it. */
export function openCacheDirectory(path: string, log: Logger): CacheDirectory {
  const lock = lockDirectory(path);
  const file = (name: string) => join(path, name);

  const setAside = (name: string, error: unknown) => {
    // The bytes may hold the only copy of a key, so nothing is deleted.
    const aside = `${name}.damaged`;
    log.warn({ file: file(name), aside }, `a file of the cache is damaged and set aside: ${errorText(error)}`);
    renameSync(file(name), file(aside));
  };
  /** Moved into place after it is on disk, so a crash leaves the old or the new and never half of one. */
  const write = (name: string, text: string) => {
    writeFileSync(file(`${name}.new`), text, { mode: 0o600, flush: true });
    renameSync(file(`${name}.new`), file(name));
  };
  const read = <T>(name: string, parse: (text: string) => T): T | undefined => {
    let text: string;
    try {
      text = readFileSync(file(name), 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
    try {
      return parse(text);
    } catch (error) {
      setAside(name, error);
      return undefined;
    }
  };
  const remove = (name: string) => {
    try {
      unlinkSync(file(name));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  };
  const certificates = () =>
    readdirSync(path)
      .filter((name) => CERTIFICATE.test(name))
      .flatMap((name) => {
        const pair = read(name, (text) => readPair(text, keyBlock(text)));
        return pair === undefined ? [] : [{ name, pair }];
      })
      .sort((a, b) => b.pair.facts.notAfter - a.pair.facts.notAfter);

  return {
    certificates: () => certificates().map(({ pair }) => pair),
    saveCertificate(pair) {
      write(`certificate-${pair.facts.fingerprint.slice(0, 16)}.pem`, pair.key + pair.facts.pem);
      for (const { name } of certificates().slice(KEPT)) remove(name);
    },
    account: () => read('account.json', (text) => withString(JSON.parse(text), 'key')),
    saveAccount: (account) => write('account.json', JSON.stringify(account)),
    attempt: () => read('attempt.json', (text) => withString(JSON.parse(text), 'key')),
    saveAttempt: (attempt) =>
      attempt === undefined ? remove('attempt.json') : write('attempt.json', JSON.stringify(attempt)),
    progress: () => read('progress.json', parseProgress) ?? { failures: 0 },
    saveProgress: (progress) => write('progress.json', JSON.stringify(progress)),
    release: lock.release,
  };
}

/** The private key's block of a file that holds key and chain. */
function keyBlock(text: string): string {
  if (parsePem('CERTIFICATE', text).length === 0) throw new Error('there is no certificate in it');
  return /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]+?-----END [A-Z ]*PRIVATE KEY-----/.exec(text)?.[0] ?? '';
}

/** These files are ours; what is checked is that they are whole. */
function withString<T>(value: T, member: string): T {
  if (typeof (value as Record<string, unknown> | null)?.[member] !== 'string') throw new Error(`no ${member} in it`);
  return value;
}

function parseProgress(text: string): Progress {
  const value = JSON.parse(text) as Progress;
  if (!Number.isSafeInteger(value.failures)) throw new Error('no failures in it');
  return value;
}

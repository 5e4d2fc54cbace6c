import { randomBytes } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { Fault } from '../base/index.ts';

export interface MasterKeySource {
  /** Keys in base64 of 32 bytes each, from the environment, separated by commas or white space. Wins over the file. */
  readonly value?: string;
  /** A file holding the same, one a line; made with a new key, mode 0600, when absent. */
  readonly file: string;
}

const KEY_BYTES = 32;

export type MasterKeys = readonly [Uint8Array, ...Uint8Array[]];

/** The master keys: the first seals, all of them open. A new first line is how the key is changed without a pause. */
export function loadMasterKeys(source: MasterKeySource): MasterKeys {
  if (source.value !== undefined) return parseKeys(source.value, 'GATEHOUSE_MASTER_KEY');
  try {
    const mode = statSync(source.file).mode & 0o077;
    if (mode !== 0) throw bad(`${source.file} may be read by others`, `chmod 600 ${source.file}`);
    return parseKeys(readFileSync(source.file, 'utf8'), source.file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  mkdirSync(dirname(source.file), { recursive: true, mode: 0o700 });
  // Written aside and linked into place: two first starts at once agree on one key, and none is ever half written.
  const draft = `${source.file}.${process.pid}`;
  writeFileSync(draft, `${randomBytes(KEY_BYTES).toString('base64')}\n`, { mode: 0o600, flush: true });
  try {
    linkSync(draft, source.file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    unlinkSync(draft);
  }
  return parseKeys(readFileSync(source.file, 'utf8'), source.file);
}

function parseKeys(text: string, origin: string): MasterKeys {
  const [first, ...others] = text
    .split(/[\s,]+/)
    .filter((part) => part !== '')
    .map((part) => Buffer.from(part, 'base64'));
  if (first === undefined || [first, ...others].some(({ length }) => length !== KEY_BYTES))
    throw bad(`${origin} is not base64 of ${KEY_BYTES} bytes`, `make one with: openssl rand -base64 ${KEY_BYTES}`);
  return [first, ...others];
}

function bad(detail: string, advice: string): Fault {
  return new Fault({ code: 'invalid_master_key', detail, party: 'operator', retry: 'never', advice });
}

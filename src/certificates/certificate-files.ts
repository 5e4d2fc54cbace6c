import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { errorText, Fault, faultOf } from '../base/index.ts';
import { appendEvent } from '../store/certificate-events.ts';
import { certificatesOfReference, referencesThatBegin, updateCertificate } from '../store/certificates.ts';
import { recordChange } from '../store/index.ts';
import { problemOf } from './failure.ts';
import { type Brought, importCertificate, parseBrought } from './imported.ts';
import type { Engine } from './ports.ts';
import { releaseWithin } from './wishes.ts';

/** A chain and a key in files that something else renews. */
export interface CertificateFile {
  /** Tells this entry from the others, also after a restart. */
  readonly name: string;
  /** Absolute paths. */
  readonly certificate: string;
  readonly key: string;
  /** Where the configuration names them: `certificates.files[0]`. */
  readonly field: string;
}

// Polled: a mounted secret changes by a symbolic link two directories up, which no watch on the file tells of.
const LOOK_MS = 2_000;
const MOST_BYTES = 1024 * 1024;

const REFERENCE = 'file:';
const referenceOf = ({ name }: CertificateFile) => `${REFERENCE}${name}`;

interface Content {
  readonly chain: string;
  readonly key: string;
  readonly digest: string;
}

/** Reads and checks all as a start would; throws a `Fault` that names the field of the first that is unusable. */
export async function checkCertificateFiles(files: readonly CertificateFile[], now: number): Promise<void> {
  const taken: Taken = new Map();
  for (const file of files) claim(taken, file, parseContent(file, await readContent(file), now));
}

export interface FollowedFiles {
  /** Looks again until the signal. */
  run(signal: AbortSignal): Promise<void>;
}

/**
 * Serves what is in the files, and gives up what came from entries that are no longer there. Throws a `Fault` when files
 * are unusable and nothing was served of them before; what was served before is served on, with the problem said.
 */
export async function followCertificateFiles(
  engine: Engine,
  files: readonly CertificateFile[],
): Promise<FollowedFiles> {
  const { store, clock, log } = engine;
  /** What was last taken or refused, by entry; and what was unusable at the last look. */
  const settled = new Map<string, string>();
  const doubted = new Map<string, string>();
  const taken: Taken = new Map();

  const take = async (file: CertificateFile, content: Content): Promise<void> => {
    const brought = parseContent(file, content, clock.now());
    claim(taken, file, brought);
    const id = await importCertificate(engine, brought, referenceOf(file), `${file.field}.certificate`);
    await store.write(async (tx) => {
      // Other names are another certificate; the one before is no longer theirs.
      for (const other of await certificatesOfReference(tx, referenceOf(file)))
        if (other !== id) await releaseWithin(engine, tx, referenceOf(file), other);
    });
    log.info({ file: file.certificate, names: brought.names }, 'a certificate from files is served');
  };

  /** Answers whether something was taken from there before, which is served on. */
  const refuse = (file: CertificateFile, fault: Fault): Promise<boolean> =>
    store.write(async (tx) => {
      const now = clock.now();
      const ids = await certificatesOfReference(tx, referenceOf(file));
      const problem = JSON.stringify(problemOf(fault, now, now + LOOK_MS, 'policy'));
      for (const id of ids) {
        await updateCertificate(tx, id, { problem }, now);
        const words = `the files are not used, what was served is served on: ${fault.message}`;
        await appendEvent(tx, {
          certificateId: id,
          at: now,
          kind: 'problem',
          words,
          facts: { problem: JSON.parse(problem) },
        });
        await recordChange(tx, 'certificate', id, now);
      }
      return ids.length > 0;
    });

  const look = async (file: CertificateFile, atStart: boolean): Promise<void> => {
    const content = await readContent(file).catch(faultOf);
    const digest = content instanceof Fault ? content.message : content.digest;
    if (digest === settled.get(file.name)) return;
    try {
      if (content instanceof Fault) throw content;
      await take(file, content);
    } catch (error) {
      const fault = faultOf(error);
      const { party } = fault.details;
      const isTheirs = party === 'operator' || party === 'client';
      if (!isTheirs && !atStart) throw error;
      // Of two files one is written before the other: what is unusable is looked at twice.
      if (!atStart && doubted.get(file.name) !== digest) return void doubted.set(file.name, digest);
      if (!(await refuse(file, fault)) && atStart) throw fault;
      log.warn({ file: file.certificate }, `certificate files are not used: ${fault.message}`);
      if (!isTheirs) return;
    }
    doubted.delete(file.name);
    settled.set(file.name, digest);
  };

  for (const file of files) await look(file, true);
  const wanted = new Set(files.map(referenceOf));
  await store.write(async (tx) => {
    for (const reference of await referencesThatBegin(tx, REFERENCE))
      if (!wanted.has(reference)) await releaseWithin(engine, tx, reference);
  });
  return {
    async run(signal) {
      while (files.length > 0 && !signal.aborted) {
        await clock.sleep(LOOK_MS, signal).catch(() => {});
        for (const file of files)
          if (!signal.aborted)
            await look(file, false).catch((error: unknown) =>
              log.error(
                { file: file.certificate, error: errorText(error) },
                'certificate files could not be looked at',
              ),
            );
      }
    },
  };
}

/** Which entry is for which names. */
type Taken = Map<string, CertificateFile>;

/** Two entries of the same names would replace each other for ever. */
function claim(taken: Taken, file: CertificateFile, { names }: Brought): void {
  const key = names.join(',');
  const other = taken.get(key);
  if (other !== undefined && other.name !== file.name)
    throw unusable(
      file.field,
      `${file.certificate} is for the same names as ${other.certificate}: ${names.join(', ')}`,
    );
  for (const [names, { name }] of taken) if (name === file.name) taken.delete(names);
  taken.set(key, file);
}

async function readContent(file: CertificateFile): Promise<Content> {
  const chain = await readText(file.certificate, `${file.field}.certificate`);
  const key = await readText(file.key, `${file.field}.key`);
  return { chain, key, digest: createHash('sha256').update(`${chain}\0${key}`).digest('hex') };
}

async function readText(path: string, field: string): Promise<string> {
  try {
    await using file = await open(path);
    const found = await file.stat();
    if (found.isFile() && found.size <= MOST_BYTES) return await file.readFile('utf8');
  } catch (error) {
    throw unusable(field, `${path} cannot be read: ${errorText(error)}`, error);
  }
  throw unusable(field, `${path} is no file of at most ${MOST_BYTES} bytes`);
}

function parseContent(file: CertificateFile, { chain, key }: Content, now: number): Brought {
  const fields = { chain: `${file.field}.certificate`, key: `${file.field}.key` };
  try {
    return parseBrought(chain, key, fields, now);
  } catch (error) {
    const { detail, field = file.field } = faultOf(error).details;
    throw unusable(field, `${field === fields.key ? file.key : file.certificate}: ${detail}`, error);
  }
}

const unusable = (field: string, detail: string, cause?: unknown) =>
  new Fault(
    {
      code: 'certificate_files_unusable',
      detail: `${field}: ${detail}`,
      party: 'operator',
      retry: 'never',
      field,
      advice: 'put a chain, leaf first, and its key there; both files are looked at every two seconds',
    },
    cause,
  );

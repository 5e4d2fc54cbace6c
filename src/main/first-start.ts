import { randomUUID } from 'node:crypto';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { type CliFile, cliFile } from '../base/index.ts';
import { ALL_PERMISSIONS } from '../contract/index.ts';
import { type Control, SYSTEM } from '../control/index.ts';
import type { SecretStore } from '../secrets/index.ts';

const UNTOLD_TOKEN = 'first-start/admin-token';

/**
 * The first administrator's token until it has been told: a start that is killed between making the token and showing
 * it must not leave an installation that nobody can sign in to.
 */
export async function untoldAdminToken(control: Control, secrets: SecretStore): Promise<string | undefined> {
  const untold = await secrets.get(UNTOLD_TOKEN);
  if (untold !== undefined) return Buffer.from(untold).toString();
  const made = await control.tokens.createFirst();
  if (made === undefined) return undefined;
  await secrets.put(UNTOLD_TOKEN, Buffer.from(made.token));
  return made.token;
}

export const adminTokenTold = (secrets: SecretStore): Promise<void> => secrets.delete(UNTOLD_TOKEN);

/** Leaves the API's address, and a token of its own, for the command line of the person who owns the data directory. */
export async function writeCliFile(control: Control, dataDir: string, api: string): Promise<void> {
  const path = cliFile(dataDir);
  const token = (await knownToken(control, path)) ?? (await makeToken(control));
  const draft = `${path}.${randomUUID()}`;
  writeFileSync(draft, `${JSON.stringify({ api, token } satisfies CliFile)}\n`, { mode: 0o600, flush: true });
  renameSync(draft, path);
}

/** The token in the file, if it still is one of this installation. */
async function knownToken(control: Control, path: string): Promise<string | undefined> {
  try {
    const { token } = JSON.parse(readFileSync(path, 'utf8')) as CliFile;
    await control.tokens.authenticate(token);
    return token;
  } catch {
    return undefined;
  }
}

async function makeToken(control: Control): Promise<string> {
  const made = await control.tokens.create(SYSTEM, {
    name: 'command line of this machine',
    permissions: [...ALL_PERMISSIONS],
  });
  return made.token;
}

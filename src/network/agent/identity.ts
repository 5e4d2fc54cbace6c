import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Fault, sha256Hex } from '../../base/index.ts';
import {
  createCertificationRequest,
  generateKey,
  keyPem,
  parseCertificate,
  parsePem,
  parsePrivateKey,
  pemOf,
} from '../../x509/index.ts';
import { createControlClient, type Identity } from './client.ts';

/** Who the agent is, in its own directory: the key was made there and never leaves it. */
export interface AgentIdentity extends Required<Identity> {
  /** When two thirds of the certificate's life are over, ms since the epoch. */
  readonly renewAt: number;
}

const FILE = 'identity.json';

export function loadIdentity(directory: string): AgentIdentity | undefined {
  try {
    const { ca, key, certificate } = JSON.parse(readFileSync(join(directory, FILE), 'utf8')) as Required<Identity>;
    const { notBefore, notAfter } = parseCertificate(parsePem('CERTIFICATE', certificate)[0]!);
    return { ca, key, certificate, renewAt: notBefore + ((notAfter - notBefore) * 2) / 3 };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Enrols with a token, which also says which CA to trust. */
export async function enrolAgent(
  control: string,
  token: string,
  directory: string,
  publicKey?: string,
): Promise<AgentIdentity> {
  const expected = token.split('.')[1] ?? '';
  const stranger = createControlClient(control, undefined);
  const ca = await stranger.root().finally(() => stranger.close());
  if (sha256Hex(ca.trim()) !== expected)
    throw new Fault({
      code: 'wrong_ca',
      detail: `${control} has another CA than the one that the token was made under`,
      party: 'operator',
      retry: 'never',
      advice: 'see that the URL is right and that nobody stands between; get a new token',
    });
  const key = await generateKey('ec-p256');
  const client = createControlClient(control, { ca });
  try {
    const csr = pemOf('CERTIFICATE REQUEST', createCertificationRequest(['agent.gatehouse.internal'], key));
    const { certificate } = await client.enrol({
      token,
      csr,
      ...(publicKey !== undefined && { public_key: publicKey }),
    });
    return keep(directory, { ca, key: keyPem(key), certificate });
  } finally {
    client.close();
  }
}

export async function renewIdentity(
  control: string,
  directory: string,
  identity: AgentIdentity,
): Promise<AgentIdentity> {
  const client = createControlClient(control, identity);
  try {
    const key = parsePrivateKey(identity.key);
    const csr = pemOf('CERTIFICATE REQUEST', createCertificationRequest(['agent.gatehouse.internal'], key));
    const { certificate } = await client.renew(csr);
    return keep(directory, { ca: identity.ca, key: identity.key, certificate });
  } finally {
    client.close();
  }
}

/** A peer that is gone does not come back under the same certificate; the next start needs a new token. */
export function forgetIdentity(directory: string): void {
  rmSync(join(directory, FILE), { force: true });
}

function keep(directory: string, identity: Required<Identity>): AgentIdentity {
  writeWhole(directory, FILE, JSON.stringify(identity));
  return loadIdentity(directory)!;
}

/** Written aside and moved into place, so that a crash leaves the old file or the new one. */
export function writeWhole(directory: string, file: string, text: string): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const draft = join(directory, `${file}.${process.pid}`);
  writeFileSync(draft, text, { mode: 0o600, flush: true });
  renameSync(draft, join(directory, file));
}

import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Fault } from '../../base/index.ts';
import type { WireguardConfig } from '../render-wireguard.ts';
import { writeWhole } from './identity.ts';
import { interfaces, type Machine } from './machine.ts';

const KEY_FILE = 'wireguard.json';
const CONFIG_FILE = 'wireguard.conf';
// 1500 less the larger of WireGuard's own headers (over IPv6).
const MTU = '1420';

export interface WireguardKey {
  /** Base64 of 32 bytes, as `wg` has them. */
  readonly privateKey: string;
  readonly publicKey: string;
}

/** Where WireGuard is to be, and with which key; the key is absent where `wg` is. */
export interface WireguardPlace {
  readonly interface: string;
  /** The agent's own. */
  readonly directory: string;
  readonly key?: WireguardKey;
}

const rawKey = (key: KeyObject, member: 'x' | 'd'): string =>
  Buffer.from(key.export({ format: 'jwk' })[member] ?? '', 'base64url').toString('base64');

/** The key of this machine, made when there is none yet; it never leaves the directory. Undefined where `wg` is not. */
export async function wireguardKey(machine: Machine, directory: string): Promise<WireguardKey | undefined> {
  const there = await machine.run('wg', ['--version']).then(
    () => true,
    () => false,
  );
  if (!there) return undefined;
  let key: KeyObject;
  try {
    key = createPrivateKey({ key: JSON.parse(readFileSync(join(directory, KEY_FILE), 'utf8')), format: 'jwk' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    key = generateKeyPairSync('x25519').privateKey;
    writeWhole(directory, KEY_FILE, JSON.stringify(key.export({ format: 'jwk' })));
  }
  return { privateKey: rawKey(key, 'd'), publicKey: rawKey(createPublicKey(key), 'x') };
}

/**
 * Brings the interface to what is wanted; `undefined` takes it away. An interface that has the peer's address already and
 * is not this one is somebody else's work, and is left alone. Idempotent.
 */
export async function applyWireguard(
  machine: Machine,
  { interface: name, directory, key }: WireguardPlace,
  before: WireguardConfig | undefined,
  wanted: WireguardConfig | undefined,
): Promise<void> {
  if (wanted === undefined) {
    const own = before === undefined ? undefined : (await interfaces(machine)).find((one) => one.name === name);
    if (own !== undefined) await machine.run('ip', ['link', 'del', 'dev', name]);
    return;
  }
  const there = await interfaces(machine);
  const bare = wanted.addresses.map((address) => address.split('/')[0] ?? '');
  if (there.some((one) => one.name !== name && one.hosts.some((host) => bare.includes(host)))) return;
  if (key === undefined) throw lacks('this machine has no WireGuard key, since wg was not installed when it enrolled');
  if (!there.some((one) => one.name === name)) await makeInterface(machine, name);
  const { listenPort: port } = wanted;
  const head = `[Interface]\nPrivateKey = ${key.privateKey}\n${port === undefined ? '' : `ListenPort = ${port}\n`}\n`;
  // `wg` reads a file, and a key has no place in a list of arguments.
  writeWhole(directory, CONFIG_FILE, `${head}${wanted.peers}`);
  await machine.run('wg', ['syncconf', name, join(directory, CONFIG_FILE)]);
  await moveAddresses(machine, name, before?.addresses ?? [], wanted.addresses);
  await machine.run('ip', ['link', 'set', 'dev', name, 'mtu', MTU, 'up']);
  for (const route of wanted.routes) await machine.run('ip', ['route', 'replace', route, 'dev', name]);
  for (const route of before?.routes.filter((one) => !wanted.routes.includes(one)) ?? [])
    await machine.run('ip', ['route', 'del', route, 'dev', name]).catch(() => {});
}

/** The kernel's own, else the program that does the same in user space and stays when this one ends. */
async function makeInterface(machine: Machine, name: string): Promise<void> {
  try {
    await machine.run('ip', ['link', 'add', 'dev', name, 'type', 'wireguard']);
  } catch {
    await machine.run('wireguard-go', [name]).catch((error: unknown) => {
      throw lacks('neither the kernel nor wireguard-go offers WireGuard here', error);
    });
  }
}

async function moveAddresses(
  machine: Machine,
  name: string,
  before: readonly string[],
  wanted: readonly string[],
): Promise<void> {
  const hosts = (await interfaces(machine)).find((one) => one.name === name)?.hosts ?? [];
  for (const address of wanted.filter((one) => !hosts.includes(one.split('/')[0] ?? ''))) {
    const quick = address.includes(':') ? ['nodad'] : [];
    await machine.run('ip', ['addr', 'add', address, 'dev', name, ...quick]);
  }
  for (const address of before.filter((one) => !wanted.includes(one)))
    await machine.run('ip', ['addr', 'del', address, 'dev', name]).catch(() => {});
}

export interface WireguardPeerReport {
  /** RFC 3339; null before the first. */
  readonly latest_handshake: string | null;
  readonly received: number;
  readonly sent: number;
}

/** What `wg show` counts for each peer, by public key; empty where there is no such interface. */
export async function readWireguard(machine: Machine, name: string): Promise<Record<string, WireguardPeerReport>> {
  const text = await machine.run('wg', ['show', name, 'dump']).catch(() => '');
  const report: Record<string, WireguardPeerReport> = {};
  // The first line is the interface's own, and has its private key.
  for (const line of text.split('\n').slice(1)) {
    const [publicKey = '', , , , handshake = '0', received = '0', sent = '0'] = line.split('\t');
    if (publicKey === '') continue;
    report[publicKey] = {
      latest_handshake: handshake === '0' ? null : new Date(Number(handshake) * 1000).toISOString(),
      received: Number(received),
      sent: Number(sent),
    };
  }
  return report;
}

const lacks = (detail: string, cause?: unknown): Fault =>
  new Fault(
    {
      code: 'wireguard_missing',
      detail,
      party: 'operator',
      retry: 'backoff',
      advice: 'install wireguard-tools, and wireguard-go where the kernel has no WireGuard; then enrol the peer again',
    },
    cause,
  );

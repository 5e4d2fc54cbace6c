import { createHash, createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import { renameSync, writeFileSync } from 'node:fs';
import type { PeerCertificate } from 'node:tls';
import { type Clock, Fault } from '../base/index.ts';
import type { CertificateAuthority } from '../ca/index.ts';
import type { SecretStore } from '../secrets/index.ts';
import { appendAudit } from '../store/audit.ts';
import { insertCertificate } from '../store/ca.ts';
import type { Store } from '../store/index.ts';
import { generateKey, keyPem, parsePem, pemOf, spkiOf } from '../x509/index.ts';

/** What a perspective is started with: who it is, and the only one it answers. */
export interface PerspectiveBundle {
  readonly name: string;
  readonly certificate: string;
  readonly key: string;
  readonly root: string;
  /** Hex SHA-256 of the asker's SubjectPublicKeyInfo. */
  readonly asker: string;
}

/** What the asker sends for the next year. Keys stay, so none is sent. */
export type OfferedIdentity = Omit<PerspectiveBundle, 'key'>;

/** One of ours: its chain for this year, and the key that it has for good. */
export interface Identity {
  readonly key: string;
  readonly chain: string;
  /** Hex SHA-256 of its SubjectPublicKeyInfo. */
  readonly pin: string;
  readonly notBefore: number;
  readonly notAfter: number;
}

export interface IdentityDeps {
  readonly store: Store;
  readonly secrets: SecretStore;
  readonly clock: Clock;
  readonly ca: CertificateAuthority;
}

const YEAR = 365 * 86_400_000;

const pinOf = (spki: Uint8Array): string => createHash('sha256').update(spki).digest('hex');
const pinIn = (certificate: X509Certificate): string =>
  pinOf(certificate.publicKey.export({ format: 'der', type: 'spki' }));

/** Hex SHA-256 of the key that the other side of a connection has shown. */
export const peerPin = (peer: PeerCertificate): string => pinIn(new X509Certificate(peer.raw));

export const hostOf = (name: string): string => `${name}.gatehouse.invalid`;

/** Certifies the key of that name, which is made by the first call, for a year from now. */
export async function certifyIdentity({ store, secrets, clock, ca }: IdentityDeps, name: string): Promise<Identity> {
  const path = `acme/perspectives/${name}/key`;
  const kept = await secrets.get(path);
  const privateKey = kept === undefined ? await generateKey('ec-p256') : createPrivateKey(Buffer.from(kept));
  const key = keyPem(privateKey);
  if (kept === undefined) await secrets.put(path, Buffer.from(key));
  const spki = spkiOf(createPublicKey(privateKey));
  const row = await ca.issue({
    spki,
    spkiHash: pinOf(spki),
    keyIsRsa: false,
    dns: [hostOf(name)],
    ip: [],
    notAfter: clock.now() + YEAR,
    extendedKeyUsage: ['serverAuth', 'clientAuth'],
  });
  await store.write(async (tx) => {
    await insertCertificate(tx, row);
    await appendAudit(tx, {
      actor: 'system',
      action: 'acme_perspective.identify',
      resource: `acme_perspective:${name}`,
      facts: { serial: row.serial, not_after: row.not_after, key: pinOf(spki) },
      at: clock.now(),
    });
  });
  const [above = []] = await ca.chains(row.authority_id);
  const chain = [row.certificate, ...above].map((der) => pemOf('CERTIFICATE', der)).join('');
  return { key, chain, pin: pinOf(spki), notBefore: row.not_before, notAfter: row.not_after };
}

/**
 * The bundle of a perspective with the certificates that the asker has sent. Throws for anything but its own key
 * certified anew, under a root that came with it, for the same asker.
 */
export function takeOffered(own: PerspectiveBundle, offered: unknown, now: number): PerspectiveBundle {
  const { name, certificate, root, asker } = (offered ?? {}) as Partial<Record<keyof PerspectiveBundle, unknown>>;
  if (typeof certificate !== 'string' || typeof root !== 'string') throw refused('has no certificate, or no root');
  if (name !== own.name) throw refused(`is not for the perspective ${own.name}`);
  if (asker !== own.asker) throw refused('names another asker');
  const chain = certificatesOf(certificate);
  const roots = certificatesOf(root);
  const [leaf] = chain;
  if (leaf === undefined || pinIn(leaf) !== pinIn(new X509Certificate(own.certificate)))
    throw refused('is for another key');
  for (const [index, each] of chain.entries()) {
    const issuers = index + 1 < chain.length ? [chain[index + 1]!] : roots;
    if (!issuers.some((issuer) => each.checkIssued(issuer) && each.verify(issuer.publicKey)))
      throw refused('has a chain that does not lead to its root');
    if (each.validFromDate.getTime() > now) throw refused('is not valid yet; compare the clocks of the two machines');
    if (each.validToDate.getTime() <= now) throw refused('has ended; compare the clocks of the two machines');
  }
  return { ...own, certificate, root };
}

function certificatesOf(text: string): X509Certificate[] {
  try {
    return parsePem('CERTIFICATE', text).map((der) => new X509Certificate(der));
  } catch {
    throw refused('holds something else than certificates');
  }
}

/** Leaves a bundle where `gatehouse ca perspective` reads it: the whole of the old one or of the new one. */
export function writeBundle(file: string, bundle: PerspectiveBundle): void {
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, `${JSON.stringify(bundle, null, 2)}\n`, { mode: 0o600, flush: true });
  renameSync(draft, file);
}

const refused = (why: string): Fault =>
  new Fault({ code: 'invalid_identity', detail: `the identity ${why}`, party: 'client', retry: 'never' });

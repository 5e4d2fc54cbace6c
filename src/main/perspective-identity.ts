import { createHash, createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import type { RequestOptions } from 'node:https';
import { join } from 'node:path';
import type { PeerCertificate } from 'node:tls';
import { createRemotePerspective, type Perspective } from '../acme-server/index.ts';
import type { Clock } from '../base/index.ts';
import type { CertificateAuthority } from '../ca/index.ts';
import type { SecretStore } from '../secrets/index.ts';
import { appendAudit } from '../store/audit.ts';
import { insertCertificate } from '../store/ca.ts';
import type { Store } from '../store/index.ts';
import { generateKey, keyPem, pemOf, spkiOf } from '../x509/index.ts';

/** What a perspective is started with: who it is, and the only one it answers. */
export interface PerspectiveBundle {
  readonly name: string;
  readonly certificate: string;
  readonly key: string;
  readonly root: string;
  /** Hex SHA-256 of the asker's SubjectPublicKeyInfo. */
  readonly asker: string;
}

const YEAR = 365 * 86_400_000;
const ASKER = 'asker';

export const pinOf = (spki: Uint8Array): string => createHash('sha256').update(spki).digest('hex');

/** Hex SHA-256 of the key that the other side of a connection has shown. */
export const peerPin = (peer: PeerCertificate): string =>
  pinOf(new X509Certificate(peer.raw).publicKey.export({ format: 'der', type: 'spki' }));

interface Deps {
  readonly store: Store;
  readonly secrets: SecretStore;
  readonly clock: Clock;
  readonly ca: CertificateAuthority;
}

/**
 * The perspectives of the configuration, each with an identity by our own CA. Both sides know the other by its key as
 * well, since names under this CA can be had by others. What a perspective is started with is left in a file for it.
 */
export async function openPerspectives(
  configured: readonly { readonly name: string; readonly url: string }[],
  dataDir: string,
  deps: Deps,
): Promise<Perspective[]> {
  if (configured.length === 0) return [];
  const asker = await identity(deps, ASKER);
  const directory = join(dataDir, 'perspectives');
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  return Promise.all(
    configured.map(async ({ name, url }) => {
      const own = await identity(deps, `perspective-${name}`);
      const root = deps.ca.rootPem();
      const bundle: PerspectiveBundle = { name, certificate: own.chain, key: own.key, root, asker: asker.pin };
      writeFileSync(join(directory, `${name}.json`), `${JSON.stringify(bundle, null, 2)}\n`, { mode: 0o600 });
      const tls: RequestOptions = {
        cert: asker.chain,
        key: asker.key,
        ca: root,
        servername: hostOf(`perspective-${name}`),
        checkServerIdentity: (_, peer) =>
          peerPin(peer) === own.pin ? undefined : new Error(`it is not the perspective ${name}`),
      };
      return createRemotePerspective(name, url, tls);
    }),
  );
}

const hostOf = (name: string): string => `${name}.gatehouse.invalid`;

async function identity({ store, secrets, clock, ca }: Deps, name: string) {
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
  return { key, chain, pin: pinOf(spki) };
}

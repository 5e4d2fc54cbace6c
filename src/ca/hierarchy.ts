import { generateKeyPairSync } from 'node:crypto';
import { type Clock, Fault, newId } from '../base/index.ts';
import type { SecretStore } from '../secrets/index.ts';
import { type AuthorityKind, type AuthorityRow, claimAuthority, listAuthorities } from '../store/ca.ts';
import type { Store } from '../store/index.ts';
import { type CertificateContent, directoryString, OID, parseCertificate, writeName } from '../x509/index.ts';
import { type Authority, newSerial, signCertificate } from './authority.ts';
import { lintCertificate } from './lint.ts';
import { createKeySigner, type Signer, signerFromPkcs8 } from './signer.ts';

export interface HierarchyDeps {
  readonly store: Store;
  readonly secrets: SecretStore;
  readonly clock: Clock;
}

export interface HierarchySettings {
  /** Organization in the names of new authorities. */
  readonly organization: string;
  /** How long new ones are good for, milliseconds. */
  readonly rootLifetime: number;
  readonly intermediateLifetime: number;
}

const DAY = 86_400_000;
export const DEFAULT_HIERARCHY: HierarchySettings = {
  organization: 'Gatehouse',
  rootLifetime: 20 * 365 * DAY,
  intermediateLifetime: 5 * 365 * DAY,
};

/** Clocks of clients run late as well as early. */
export const BACKDATE = 60_000;

export const authorityKeyPath = (id: string): string => `ca/${id}/key`;

/** Loads every authority; on the first start makes a root and an intermediate. Safe with several starts at once. */
export async function openHierarchy(deps: HierarchyDeps, settings: HierarchySettings): Promise<Authority[]> {
  let rows = await listAuthorities(deps.store.db);
  if (rows.length === 0) {
    const root = await createAuthority(deps, settings, { kind: 'root', slot: 'root-1' });
    await createAuthority(deps, settings, { kind: 'intermediate', slot: 'intermediate-1', parent: root });
    rows = await listAuthorities(deps.store.db);
  }
  return Promise.all(rows.map((row) => loadAuthority(deps.secrets, row)));
}

export async function loadAuthority(secrets: SecretStore, row: AuthorityRow): Promise<Authority> {
  const key = await secrets.get(authorityKeyPath(row.id));
  if (key === undefined)
    throw new Fault({
      code: 'ca_key_missing',
      detail: `the key of the CA's ${row.kind} ${row.id} is not in the secret store`,
      party: 'secret-store',
      retry: 'never',
      advice: 'restore the secret store from the backup that goes with this database',
    });
  return authorityOf(row, signerFromPkcs8(key));
}

const authorityOf = (row: AuthorityRow, signer: Signer): Authority => ({
  id: row.id,
  kind: row.kind,
  parentId: row.parent_id ?? undefined,
  certificate: parseCertificate(row.certificate),
  signer,
});

interface NewAuthority {
  readonly kind: AuthorityKind;
  readonly slot: string;
  readonly parent?: Authority;
}

/** Makes a key, keeps it, and claims the slot; another start that was quicker wins, and its authority is answered. */
export async function createAuthority(
  deps: HierarchyDeps,
  settings: HierarchySettings,
  { kind, slot, parent }: NewAuthority,
): Promise<Authority> {
  const now = deps.clock.now();
  const id = newId('ca', now);
  // P-384 for what signs a few times in decades, P-256 for what signs every certificate (twelve times as fast).
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: kind === 'root' ? 'P-384' : 'P-256' });
  const signer = createKeySigner(privateKey);
  const content = authorityContent(settings, kind, signer, parent, now);
  const issuer = parent?.signer ?? signer;
  const certificate = await signCertificate(
    lintCertificate(content, { notAfter: parent?.certificate.notAfter ?? content.notAfter }),
    issuer,
  );
  await deps.secrets.put(authorityKeyPath(id), privateKey.export({ format: 'der', type: 'pkcs8' }));
  const row: AuthorityRow = {
    id,
    slot,
    kind,
    parent_id: parent?.id ?? null,
    certificate,
    state: 'active',
    created_at: now,
    not_after: content.notAfter,
  };
  const claimed = await deps.store.write((tx) => claimAuthority(tx, row));
  if (claimed.id === id) return authorityOf(row, signer);
  await deps.secrets.delete(authorityKeyPath(id));
  return loadAuthority(deps.secrets, claimed);
}

function authorityContent(
  settings: HierarchySettings,
  kind: AuthorityKind,
  signer: Signer,
  parent: Authority | undefined,
  now: number,
): CertificateContent {
  // The key's own identifier in the name tells two authorities of one installation apart, and two installations.
  const label = `${settings.organization} ${kind === 'root' ? 'Root' : 'Intermediate'} ${signer.keyId.toString('hex').slice(0, 8)}`;
  const subject = writeName([
    [OID.organizationName, directoryString(settings.organization)],
    [OID.commonName, directoryString(label)],
  ]);
  const lifetime = kind === 'root' ? settings.rootLifetime : settings.intermediateLifetime;
  const notBefore = Math.floor((now - BACKDATE) / 1000) * 1000;
  return {
    serial: newSerial(),
    signature: (parent?.signer ?? signer).algorithm,
    issuer: parent?.certificate.subject ?? subject,
    subject,
    notBefore,
    notAfter: Math.min(notBefore + lifetime - 1000, parent?.certificate.notAfter ?? Number.POSITIVE_INFINITY),
    spki: signer.spki,
    keyUsage: ['keyCertSign', 'cRLSign', 'digitalSignature'],
    authority: kind === 'root' ? {} : { pathLength: 0 },
    extendedKeyUsage: kind === 'root' ? undefined : ['serverAuth', 'clientAuth'],
    subjectKeyIdentifier: signer.keyId,
    authorityKeyIdentifier: parent?.signer.keyId,
  };
}

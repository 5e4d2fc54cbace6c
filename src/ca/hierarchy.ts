import { createHash, generateKeyPairSync } from 'node:crypto';
import { type Clock, newId } from '../base/index.ts';
import type { SecretStore } from '../secrets/index.ts';
import { appendAudit } from '../store/audit.ts';
import { type AuthorityKind, type AuthorityRow, insertAuthority, listAuthorities } from '../store/ca.ts';
import type { Db, Store } from '../store/index.ts';
import {
  type CertificateContent,
  type ConstraintTexts,
  directoryString,
  OID,
  parseCertificate,
  planNameConstraints,
  writeName,
} from '../x509/index.ts';
import { type Authority, newSerial, signCertificate } from './authority.ts';
import { authorityKeyPath, type KeyReference, openSigner, putKeyReference } from './key-reference.ts';
import { lintCertificate } from './lint.ts';
import { type Signer, type SignerCommands, signerFromPkcs8 } from './signer.ts';

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
  /** What new intermediates may sign (RFC 5280 §4.2.1.10). */
  readonly nameConstraints?: ConstraintTexts;
  /** Programs that hold keys. */
  readonly signers?: SignerCommands;
}

const NOTHING: ConstraintTexts = { permitted: [], excluded: [] };

const DAY = 86_400_000;
export const DEFAULT_HIERARCHY: HierarchySettings = {
  organization: 'Gatehouse',
  rootLifetime: 20 * 365 * DAY,
  intermediateLifetime: 5 * 365 * DAY,
};

/** Clocks of clients run late as well as early. */
export const BACKDATE = 60_000;

/** Loads every authority; on the first start makes a root and an intermediate. Safe with several starts at once. */
export async function openHierarchy(deps: HierarchyDeps, settings: HierarchySettings): Promise<Authority[]> {
  if ((await listAuthorities(deps.store.db)).length === 0) {
    const root = await prepareAuthority(deps, settings, { kind: 'root', slot: 'root-1' });
    const first = { kind: 'intermediate', slot: 'intermediate-1', parent: root.authority } as const;
    const intermediate = await prepareAuthority(deps, settings, first);
    await claimAuthorities(deps, [root, intermediate], (tx) =>
      appendAudit(tx, {
        actor: 'system',
        action: 'ca_authority.create',
        resource: `ca_authority:${intermediate.row.id}`,
        facts: { root: root.row.id, fingerprint: fingerprintOf(root.row.certificate) },
        at: deps.clock.now(),
      }),
    );
  }
  return loadHierarchy(deps, settings);
}

export async function loadHierarchy(
  { store, secrets }: HierarchyDeps,
  settings: HierarchySettings,
): Promise<Authority[]> {
  const rows = await listAuthorities(store.db);
  const all = await Promise.all(
    rows.map(async (row) => authorityOf(row, await openSigner(secrets, row, settings.signers ?? {}))),
  );
  // Whoever looks for a key finds the certificate that leaves are recorded under.
  return all.toSorted((a, b) => Number(a.isAlternate) - Number(b.isAlternate));
}

/** Begins the slot of an authority that was made elsewhere. */
export const IMPORTED = 'import-';

/** Ends the slot of an authority that shares the key of another. */
export const CROSS = '-cross';

export const authorityOf = (row: AuthorityRow, signer: Signer): Authority => ({
  id: row.id,
  kind: row.kind,
  state: row.state,
  isAlternate: row.slot.endsWith(CROSS),
  isImported: row.slot.startsWith(IMPORTED),
  parentId: row.parent_id ?? undefined,
  certificate: parseCertificate(row.certificate),
  signer,
});

interface NewAuthority {
  readonly kind: AuthorityKind;
  readonly slot: string;
  readonly parent?: Authority;
  /** A key that another authority has: the new one is another certificate for it. */
  readonly sameKeyAs?: Authority;
}

/** A new authority whose key is kept, and which is nobody's yet. */
export interface PreparedAuthority {
  readonly row: AuthorityRow;
  readonly authority: Authority;
}

/** Makes a key and keeps it, and signs the certificate. `claimAuthorities` decides whether it counts. */
export async function prepareAuthority(
  deps: HierarchyDeps,
  settings: HierarchySettings,
  { kind, slot, parent, sameKeyAs }: NewAuthority,
): Promise<PreparedAuthority> {
  const now = deps.clock.now();
  const id = newId('ca', now);
  const reference = sameKeyAs === undefined ? newKey(kind) : await sameReference(deps, sameKeyAs);
  const signer = sameKeyAs?.signer ?? signerFromPkcs8(reference.pkcs8);
  const content = authorityContent(settings, { kind, slot, parent, sameKeyAs }, signer, now);
  const issuer = parent?.signer ?? signer;
  const certificate = await signCertificate(
    lintCertificate(content, { notAfter: parent?.certificate.notAfter ?? content.notAfter }),
    issuer,
  );
  await putKeyReference(deps.secrets, id, reference);
  const row: AuthorityRow = {
    id,
    slot,
    kind,
    parent_id: parent?.id ?? null,
    certificate,
    state: sameKeyAs === undefined ? 'active' : 'retired',
    created_at: now,
    not_after: content.notAfter,
  };
  return { row, authority: authorityOf(row, signer) };
}

class SlotTaken extends Error {}

/**
 * Lets new authorities count, all or none, with what belongs to that in the same transaction. False when another
 * process was quicker with one of the slots; then their keys are gone again.
 */
export async function claimAuthorities(
  { store, secrets }: HierarchyDeps,
  prepared: readonly Pick<PreparedAuthority, 'row'>[],
  also: (tx: Db) => Promise<void>,
): Promise<boolean> {
  try {
    await store.write(async (tx) => {
      for (const { row } of prepared) if (!(await insertAuthority(tx, row))) throw new SlotTaken();
      await also(tx);
    });
    return true;
  } catch (error) {
    // After any other error the commit may have happened, and the keys are what must not be lost.
    if (!(error instanceof SlotTaken)) throw error;
    for (const { row } of prepared) await secrets.delete(authorityKeyPath(row.id));
    return false;
  }
}

/** Hex SHA-256, as people compare certificates. */
export const fingerprintOf = (certificate: Uint8Array): string =>
  createHash('sha256').update(certificate).digest('hex');

// P-384 for what signs a few times in decades, P-256 for what signs every certificate (twelve times as fast).
function newKey(kind: AuthorityKind): KeyReference & { kind: 'key' } {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: kind === 'root' ? 'P-384' : 'P-256' });
  return { kind: 'key', pkcs8: privateKey.export({ format: 'der', type: 'pkcs8' }) };
}

async function sameReference({ secrets }: HierarchyDeps, { id }: Authority): Promise<KeyReference & { kind: 'key' }> {
  // As it is, whether key or reference: it is put again for the other certificate.
  return { kind: 'key', pkcs8: (await secrets.get(authorityKeyPath(id)))! };
}

function authorityContent(
  settings: HierarchySettings,
  { kind, parent, sameKeyAs }: NewAuthority,
  signer: Signer,
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
    subject: sameKeyAs?.certificate.subject ?? subject,
    notBefore,
    notAfter: Math.min(notBefore + lifetime - 1000, parent?.certificate.notAfter ?? Number.POSITIVE_INFINITY),
    spki: signer.spki,
    keyUsage: ['keyCertSign', 'cRLSign', 'digitalSignature'],
    authority: kind === 'root' ? {} : { pathLength: 0 },
    extendedKeyUsage: kind === 'root' ? undefined : ['serverAuth', 'clientAuth'],
    nameConstraints: kind === 'root' ? undefined : planNameConstraints(settings.nameConstraints ?? NOTHING),
    subjectKeyIdentifier: signer.keyId,
    authorityKeyIdentifier: parent?.signer.keyId,
  };
}

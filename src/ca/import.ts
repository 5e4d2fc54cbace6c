import { createPrivateKey, createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';
import { Fault, newId } from '../base/index.ts';
import { appendAudit } from '../store/audit.ts';
import { type AuthorityRow, listAuthorities, setAuthorityState } from '../store/ca.ts';
import { describeKey, type ParsedCertificate, parseCertificate, parsePem, spkiOf, weakness } from '../x509/index.ts';
import {
  authorityOf,
  claimAuthorities,
  fingerprintOf,
  type HierarchyDeps,
  type HierarchySettings,
  IMPORTED,
  type PreparedAuthority,
  prepareAuthority,
} from './hierarchy.ts';
import { type KeyReference, putKeyReference, signerOf } from './key-reference.ts';
import type { Signer } from './signer.ts';

/** A CA that exists: its certificates from the one that signs up to the root, and the key of the first. */
export interface ImportedCa {
  /** PEM. One root alone is fine: an intermediate of ours is made under it. */
  readonly chainPem: string;
  /** PEM, or the name of a signer of the configuration that holds the key. */
  readonly key: { readonly pem: string; readonly passphrase?: string } | { readonly signer: string };
}

/**
 * Checks a CA as a whole, keeps it, and lets it sign from now on. Importing it again changes nothing. Faults name a
 * field. `actor` is whom the audit log names.
 */
export async function importAuthority(
  deps: HierarchyDeps,
  settings: HierarchySettings,
  input: ImportedCa,
  actor: string,
): Promise<void> {
  const { store, secrets, clock } = deps;
  const now = clock.now();
  const chain = readChain(input.chainPem, now);
  const first = chain[0]!;
  const publicKey = createPublicKey({ key: first.spki, format: 'der', type: 'spki' });
  const reference = referenceOf(input.key, publicKey);
  const signer = await probe(reference, publicKey, settings);
  const known = await listAuthorities(store.db);
  if (known.some(({ slot }) => slot === slotOf(first))) return;
  const prepared: Pick<PreparedAuthority, 'row'>[] = [];
  let parentId: string | null = null;
  for (const certificate of chain.toReversed()) {
    const isFirst = certificate === first;
    const above = known.find(({ slot }) => slot === slotOf(certificate));
    if (above === undefined) {
      const row = importedRow(certificate, parentId, isFirst, now);
      await putKeyReference(secrets, row.id, isFirst ? reference : { kind: 'absent' });
      prepared.push({ row });
      parentId = row.id;
    } else parentId = above.id;
  }
  if (chain.length === 1) {
    const parent = authorityOf(prepared[0]!.row, signer);
    const under = { kind: 'intermediate', slot: `intermediate-under-${parent.id}`, parent } as const;
    prepared.push(await prepareAuthority(deps, settings, under));
  }
  await claimAuthorities(deps, prepared, async (tx) => {
    for (const { id, kind, state } of known)
      if (kind === 'intermediate' && state === 'active') await setAuthorityState(tx, id, 'retired');
    await appendAudit(tx, {
      actor,
      action: 'ca_authority.import',
      resource: `ca_authority:${prepared.at(-1)!.row.id}`,
      facts: {
        fingerprint: fingerprintOf(first.der),
        not_after: first.notAfter,
        key: 'signer' in input.key ? `signer ${input.key.signer}` : 'secret store',
      },
      at: now,
    });
  });
}

const slotOf = ({ der }: ParsedCertificate): string => `${IMPORTED}${fingerprintOf(der).slice(0, 32)}`;

const importedRow = (
  certificate: ParsedCertificate,
  parentId: string | null,
  isFirst: boolean,
  now: number,
): AuthorityRow => ({
  id: newId('ca', now),
  slot: slotOf(certificate),
  kind: parentId === null ? 'root' : 'intermediate',
  parent_id: parentId,
  certificate: certificate.der,
  state: isFirst ? 'active' : 'retired',
  created_at: now,
  not_after: certificate.notAfter,
});

/** The chain from the signing certificate to the root, every rule of a CA certificate checked (RFC 5280 §6.1.4). */
function readChain(pem: string, now: number): ParsedCertificate[] {
  const blocks = parsePem('CERTIFICATE', pem);
  if (blocks.length === 0 || blocks.length > 5) throw wrong('chain', 'holds no certificate in PEM, or more than five');
  if (new Set(blocks.map(fingerprintOf)).size < blocks.length) throw wrong('chain', 'holds a certificate twice');
  const nodes = blocks.map((der) => readable(der));
  nodes.forEach((node, index) => {
    const above = nodes[index + 1] ?? node;
    const which = `certificate ${index + 1} of the chain`;
    if (!node.ca) throw wrong('chain', `has an end: ${which} is no CA certificate`);
    if (!node.checkIssued(above) || !node.verify(above.publicKey))
      throw wrong(
        'chain',
        `is broken: ${which} was not issued by ${above === node ? 'itself' : 'the next'}; end with the root`,
      );
    if (now < Date.parse(node.validFrom) || now > Date.parse(node.validTo))
      throw wrong('chain', `cannot sign now: ${which} is good from ${node.validFrom} to ${node.validTo}`);
    if (describeKey(node.publicKey) === undefined || weakness(node.publicKey) !== undefined)
      throw wrong('chain', `${which} has a weak key or one of a kind that is not supported`);
  });
  return blocks.map((der) => parseCertificate(der));
}

function readable(der: Buffer): X509Certificate {
  try {
    parseCertificate(der);
    return new X509Certificate(der);
  } catch (cause) {
    throw wrong('chain', `holds a certificate that cannot be read: ${(cause as Error).message}`, cause);
  }
}

function referenceOf(key: ImportedCa['key'], publicKey: KeyObject): KeyReference {
  if ('signer' in key) return { kind: 'command', name: key.signer };
  let privateKey: KeyObject;
  try {
    privateKey = createPrivateKey({ key: key.pem, format: 'pem', passphrase: key.passphrase });
  } catch (cause) {
    const encrypted = /ENCRYPTED/.test(key.pem);
    const why = encrypted
      ? key.passphrase === undefined
        ? 'is encrypted: give its passphrase too'
        : 'does not open with this passphrase'
      : 'is no private key in PEM';
    throw wrong('key', why, cause);
  }
  if (!spkiOf(privateKey).equals(spkiOf(publicKey)))
    throw wrong('key', 'is not that of the first certificate of the chain');
  return { kind: 'key', pkcs8: privateKey.export({ format: 'der', type: 'pkcs8' }) };
}

/** One signature, verified by the signer port, before anything is kept. */
async function probe(
  reference: KeyReference,
  publicKey: KeyObject,
  { signers = {} }: HierarchySettings,
): Promise<Signer> {
  const signer = signerOf(reference, publicKey, signers);
  await signer.sign(Buffer.from('Gatehouse tries the key of a CA that is imported'));
  return signer;
}

const wrong = (field: string, why: string, cause?: unknown): Fault =>
  new Fault(
    { code: 'invalid_ca', detail: `the ${field} ${why}`, party: 'client', retry: 'never', field, status: 422 },
    cause,
  );

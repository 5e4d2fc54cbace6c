import { createHash, createPrivateKey, createPublicKey, type KeyObject, X509Certificate } from 'node:crypto';
import { Fault, newId } from '../base/index.ts';
import { type AuthorityRow, claimAuthority, listAuthorities, setAuthorityState } from '../store/ca.ts';
import { describeKey, type ParsedCertificate, parseCertificate, parsePem, spkiOf, weakness } from '../x509/index.ts';
import { createAuthority, type HierarchyDeps, type HierarchySettings, loadHierarchy } from './hierarchy.ts';
import { type KeyReference, putKeyReference, signerOf } from './key-reference.ts';

/** A CA that exists: its certificates from the one that signs up to the root, and the key of the first. */
export interface ImportedCa {
  /** PEM. One root alone is fine: an intermediate of ours is made under it. */
  readonly chainPem: string;
  /** PEM, or the name of a signer of the configuration that holds the key. */
  readonly key: { readonly pem: string; readonly passphrase?: string } | { readonly signer: string };
}

/** Checks a CA as a whole, keeps it, and lets it sign from now on. Importing it again changes nothing. Faults name a field. */
export async function importAuthority(
  deps: HierarchyDeps,
  settings: HierarchySettings,
  input: ImportedCa,
): Promise<void> {
  const { store, secrets, clock } = deps;
  const chain = readChain(input.chainPem, clock.now());
  const first = chain[0]!;
  const publicKey = createPublicKey({ key: first.spki, format: 'der', type: 'spki' });
  const reference = referenceOf(input.key, publicKey);
  await probe(reference, publicKey, settings);
  const known = await listAuthorities(store.db);
  const slotOf = ({ der }: ParsedCertificate) =>
    `import-${createHash('sha256').update(der).digest('hex').slice(0, 32)}`;
  if (known.some(({ slot }) => slot === slotOf(first))) return;
  let parentId: string | null = null;
  for (const certificate of chain.toReversed()) {
    const now = clock.now();
    const id = newId('ca', now);
    const isFirst = certificate === first;
    await putKeyReference(secrets, id, isFirst ? reference : { kind: 'absent' });
    const row: AuthorityRow = {
      id,
      slot: slotOf(certificate),
      kind: parentId === null ? 'root' : 'intermediate',
      parent_id: parentId,
      certificate: certificate.der,
      state: isFirst ? 'active' : 'retired',
      created_at: now,
      not_after: certificate.notAfter,
    };
    parentId = (await store.write((tx) => claimAuthority(tx, row))).id;
  }
  if (chain.length === 1) await intermediateUnder(deps, settings, parentId!);
  await store.write(async (tx) => {
    for (const { id, kind, state } of known)
      if (kind === 'intermediate' && state === 'active') await setAuthorityState(tx, id, 'retired');
  });
}

async function intermediateUnder(deps: HierarchyDeps, settings: HierarchySettings, rootId: string): Promise<void> {
  const parent = (await loadHierarchy(deps, settings)).find(({ id }) => id === rootId)!;
  await createAuthority(deps, settings, { kind: 'intermediate', slot: `intermediate-under-${rootId}`, parent });
}

/** The chain from the signing certificate to the root, every rule of a CA certificate checked (RFC 5280 §6.1.4). */
function readChain(pem: string, now: number): ParsedCertificate[] {
  const blocks = parsePem('CERTIFICATE', pem);
  if (blocks.length === 0 || blocks.length > 5) throw wrong('chain', 'holds no certificate in PEM, or more than five');
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
): Promise<void> {
  await signerOf(reference, publicKey, signers).sign(Buffer.from('Gatehouse tries the key of a CA that is imported'));
}

const wrong = (field: string, why: string, cause?: unknown): Fault =>
  new Fault(
    { code: 'invalid_ca', detail: `the ${field} ${why}`, party: 'client', retry: 'never', field, status: 422 },
    cause,
  );

import type { KeyObject } from 'node:crypto';
import { Fault, inUtc, newId } from '../base/index.ts';
import { appendEvent } from '../store/certificate-events.ts';
import { insertVersion, removeEnded, versionsOf } from '../store/certificate-versions.ts';
import { addReference, certificateByIdentity, insertCertificate, updateCertificate } from '../store/certificates.ts';
import { type Db, recordChange } from '../store/index.ts';
import {
  type ChainFacts,
  checkChain,
  type KeyType,
  keyPem,
  keyTypeOf,
  parseChain,
  parsePrivateKey,
} from '../x509/index.ts';
import { newVersion } from './new-version.ts';
import type { Engine } from './ports.ts';
import { importedDigest } from './wish.ts';
import { NOTHING_YET, recordChangeBeside } from './wishes.ts';

/** A chain that can be served with the key that came with it. */
export interface Brought {
  readonly chain: ChainFacts;
  readonly key: KeyObject;
  readonly keyType: KeyType;
  /** Sorted, each once. */
  readonly names: readonly string[];
}

/** Throws a `Fault` that names the field when chain and key do not fit, or when there is nothing to serve with them. */
export function parseBrought(
  chainPem: string,
  keyText: string,
  fields: { readonly chain: string; readonly key: string },
  now: number,
): Brought {
  const chain = parseChain(chainPem, fields.chain);
  const key = parsePrivateKey(keyText, fields.key);
  checkChain(chain, { key }, fields.chain);
  if (chain.names.length === 0)
    throw refuse(fields.chain, 'the certificate names no host in subjectAltName, so nothing can be served with it');
  if (chain.notAfter <= now) throw refuse(fields.chain, `the certificate expired on ${inUtc(chain.notAfter)}`);
  const keyType = keyTypeOf(key);
  if (keyType === undefined)
    throw refuse(fields.key, 'the key is neither ECDSA P-256 or P-384 nor RSA of 2048, 3072 or 4096 bits');
  return { chain, key, keyType, names: [...new Set(chain.names.map((name) => name.toLowerCase()))].sort() };
}

/**
 * A certificate that somebody brings: served and watched like the rest. The same names again are its next version; what
 * is served already stays as it is, and what was revoked here is not taken again.
 */
export async function importCertificate(
  engine: Engine,
  brought: Brought,
  reference: string,
  field: string,
): Promise<string> {
  const { store, secrets, clock } = engine;
  const now = clock.now();
  const known = await certificateByIdentity(store.db, importedDigest(brought.names));
  const versions = known === undefined ? [] : await versionsOf(store.db, known.id, 1000);
  const same = versions.find(({ fingerprint }) => fingerprint === brought.chain.fingerprint);
  if (same?.revoked_at != null)
    throw refuse(field, `the certificate was revoked here on ${inUtc(same.revoked_at)}; bring another`);
  if (known !== undefined && same !== undefined && same.id === known.served_version_id)
    return store.write(async (tx) => {
      await addReference(tx, known.id, reference, now);
      if (known.problem === null && known.unreferenced_at === null) return known.id;
      await updateCertificate(tx, known.id, { problem: null, unreferenced_at: null }, now);
      await recordChange(tx, 'certificate', known.id, now);
      return known.id;
    });
  const versionId = newId('ver', now);
  const keyPath = `certificates/imported/${versionId}/key`;
  await secrets.put(keyPath, Buffer.from(keyPem(brought.key)));
  const [id, ended] = await store.write(async (tx) => {
    const id = await putBrought(tx, brought, { versionId, keyPath, now });
    await addReference(tx, id, reference, now);
    return [id, await removeEnded(tx, id, now - engine.expiredKeptMs, versionId)] as const;
  });
  for (const { key_path } of ended) await secrets.delete(key_path);
  return id;
}

async function putBrought(
  tx: Db,
  brought: Brought,
  { versionId, keyPath, now }: { readonly versionId: string; readonly keyPath: string; readonly now: number },
): Promise<string> {
  const { chain, keyType, names } = brought;
  const identity = importedDigest(names);
  const found = await certificateByIdentity(tx, identity);
  const id = found?.id ?? newId('crt', now);
  const isServed = {
    status: 'valid',
    served_version_id: versionId,
    problem: null,
    next_attempt_at: chain.notAfter,
    unreferenced_at: null,
  } as const;
  if (found === undefined)
    await insertCertificate(tx, {
      id,
      identity,
      kind: 'imported',
      names: JSON.stringify(names),
      issuers: '[]',
      key_type: keyType,
      profile: null,
      reuse_key: 1,
      challenge: 'auto',
      dns_credential_id: null,
      ...NOTHING_YET,
      ...isServed,
      created_at: now,
      updated_at: now,
    });
  else await updateCertificate(tx, id, isServed, now);
  await insertVersion(tx, {
    id: versionId,
    ...newVersion(chain, now),
    certificate_id: id,
    issuer_id: null,
    staging: 0,
    key_path: keyPath,
    key_type: keyType,
    ari_id: null,
    profile: null,
    challenge: null,
  });
  const words = `brought: issued by ${chain.issuerName}, good until ${inUtc(chain.notAfter)}`;
  await appendEvent(tx, { certificateId: id, at: now, kind: 'imported', words, facts: { serial: chain.serial } });
  await recordChange(tx, 'certificate', id, now);
  await recordChangeBeside(tx, names, now);
  return id;
}

const refuse = (field: string, detail: string) =>
  new Fault({ code: 'invalid_chain', detail, party: 'client', retry: 'never', field, status: 422 });

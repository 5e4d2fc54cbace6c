import { Fault, inUtc, newId } from '../base/index.ts';
import { appendEvent } from '../store/certificate-events.ts';
import { insertVersion } from '../store/certificate-versions.ts';
import { addReference, certificateByIdentity, insertCertificate, updateCertificate } from '../store/certificates.ts';
import { recordChange } from '../store/index.ts';
import { checkChain, keyPem, keyTypeOf, parseChain, parsePrivateKey } from '../x509/index.ts';
import type { Engine } from './ports.ts';
import { importedDigest } from './wish.ts';
import { NOTHING_YET } from './wishes.ts';

/** A certificate that somebody brings: served and watched like the rest. The same names again are its next version. */
export async function importCertificate(
  engine: Engine,
  chainPem: string,
  key: string,
  reference: string,
): Promise<string> {
  const { store, secrets, clock } = engine;
  const now = clock.now();
  const chain = parseChain(chainPem, 'chain_pem');
  const privateKey = parsePrivateKey(key, 'private_key_pem');
  checkChain(chain, { key: privateKey }, 'chain_pem');
  const refuse = (detail: string) =>
    new Fault({ code: 'invalid_chain', detail, party: 'client', retry: 'never', field: 'chain_pem', status: 422 });
  if (chain.names.length === 0)
    throw refuse('the certificate names no host in subjectAltName, so nothing can be served with it');
  if (chain.notAfter <= now) throw refuse(`the certificate expired on ${inUtc(chain.notAfter)}`);
  const keyType = keyTypeOf(privateKey);
  if (keyType === undefined) throw refuse('the key is neither ECDSA P-256 or P-384 nor RSA of 2048, 3072 or 4096 bits');
  const names = [...new Set(chain.names)].sort();
  const versionId = newId('ver', now);
  const keyPath = `certificates/imported/${versionId}/key`;
  await secrets.put(keyPath, Buffer.from(keyPem(privateKey)));
  return store.write(async (tx) => {
    const found = await certificateByIdentity(tx, importedDigest(names));
    const id = found?.id ?? newId('crt', now);
    if (found === undefined)
      await insertCertificate(tx, {
        id,
        identity: importedDigest(names),
        kind: 'imported',
        names: JSON.stringify(names),
        issuers: '[]',
        key_type: keyType,
        profile: null,
        reuse_key: 1,
        challenge: 'auto',
        dns_credential_id: null,
        status: 'valid',
        next_attempt_at: chain.notAfter,
        ...NOTHING_YET,
        created_at: now,
        updated_at: now,
      });
    await insertVersion(tx, {
      id: versionId,
      certificate_id: id,
      issuer_id: null,
      issuer_name: chain.issuerName,
      staging: 0,
      chain: chain.pem,
      key_path: keyPath,
      key_type: keyType,
      key_digest: chain.keyDigest,
      serial: chain.serial,
      fingerprint: chain.fingerprint,
      ari_id: null,
      profile: null,
      not_before: chain.notBefore,
      not_after: chain.notAfter,
      issued_at: now,
      revoked_at: null,
      revocation_reason: null,
      revocation_told_at: null,
      challenge: null,
    });
    const change = {
      status: 'valid',
      served_version_id: versionId,
      problem: null,
      next_attempt_at: chain.notAfter,
      unreferenced_at: null,
    } as const;
    await updateCertificate(tx, id, change, now);
    await addReference(tx, id, reference, now);
    const words = `brought: issued by ${chain.issuerName}, good until ${inUtc(chain.notAfter)}`;
    await appendEvent(tx, { certificateId: id, at: now, kind: 'imported', words, facts: { serial: chain.serial } });
    await recordChange(tx, 'certificate', id, now);
    return id;
  });
}

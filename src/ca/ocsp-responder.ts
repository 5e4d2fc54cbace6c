import { createHash, generateKeyPairSync } from 'node:crypto';
import { appendAudit } from '../store/audit.ts';
import { type CertificateRow, insertCertificate } from '../store/ca.ts';
import { directoryString, OID, writeExtension, writeName } from '../x509/index.ts';
import { type Authority, newSerial } from './authority.ts';
import { BACKDATE, type HierarchyDeps } from './hierarchy.ts';
import { rowOf } from './issue.ts';
import { lintCertificate } from './lint.ts';
import type { CaMetrics } from './metrics.ts';
import { createKeySigner, type Signer } from './signer.ts';

const DAY = 86_400_000;
const LIFETIME = 7 * DAY;
/** Longer than an answer is good for, so that no answer outlives the certificate under which it is checked. */
const RENEW_BEFORE = 3 * DAY;

/** Who signs the answers about the certificates of an authority. */
export interface OcspResponder {
  readonly signer: Signer;
  /** Of the responder, DER; none when the authority answers itself. */
  readonly certificates: readonly Buffer[];
}

interface Kept extends OcspResponder {
  readonly notAfter: number;
}

/**
 * Responders with a key of their own, in memory, under a certificate of a week (RFC 6960 §4.2.2.2): the key of the CA,
 * which may be slow or far away, signs one a week instead of every answer. Each process has its own.
 */
export function createOcspResponders(
  deps: HierarchyDeps,
  metrics: CaMetrics,
  organization: string,
): (authority: Authority) => Promise<OcspResponder> {
  const kept = new Map<string, Kept>();
  const making = new Map<string, Promise<Kept>>();

  async function make(authority: Authority): Promise<Kept> {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const signer = createKeySigner(privateKey);
    const row = await issueResponder(authority, signer, organization, deps.clock.now());
    metrics.count('gatehouse_ca_signatures_total', { what: 'certificate' });
    await deps.store.write(async (tx) => {
      await insertCertificate(tx, row);
      await appendAudit(tx, {
        actor: 'acme-system:ca',
        action: 'ca_authority.delegate',
        resource: `ca_authority:${authority.id}`,
        facts: { serial: row.serial, not_after: row.not_after },
        at: deps.clock.now(),
      });
    });
    const made = { signer, certificates: [Buffer.from(row.certificate)], notAfter: row.not_after };
    kept.set(authority.id, made);
    return made;
  }

  return async (authority) => {
    const now = deps.clock.now();
    // Under an authority that ends sooner, nothing can be delegated for long enough.
    if (authority.certificate.notAfter - now < RENEW_BEFORE) return { signer: authority.signer, certificates: [] };
    const known = kept.get(authority.id);
    if (known !== undefined && known.notAfter - now > RENEW_BEFORE) return known;
    const made = making.get(authority.id) ?? make(authority).finally(() => making.delete(authority.id));
    making.set(authority.id, made);
    try {
      return await made;
    } catch (error) {
      // A CA key that cannot be reached for a day or two keeps nobody from answers.
      if (known !== undefined && known.notAfter - now > DAY) return known;
      throw error;
    }
  };
}

/** CA/B BR §7.1.2.8: no names, no list to be asked about it (RFC 6960 §4.2.2.2.1). */
async function issueResponder(
  authority: Authority,
  { spki, keyId }: Signer,
  organization: string,
  now: number,
): Promise<CertificateRow> {
  const { certificate } = authority;
  const content = {
    serial: newSerial(),
    signature: authority.signer.algorithm,
    issuer: certificate.subject,
    subject: writeName([
      [OID.organizationName, directoryString(organization)],
      [OID.commonName, directoryString(`${organization} OCSP ${keyId.toString('hex').slice(0, 8)}`)],
    ]),
    notBefore: Math.floor((now - BACKDATE) / 1000) * 1000,
    notAfter: Math.min(Math.floor((now + LIFETIME) / 1000) * 1000, certificate.notAfter),
    spki,
    keyUsage: ['digitalSignature'] as const,
    extendedKeyUsage: [{ oid: OID.ocspSigning }],
    subjectKeyIdentifier: keyId,
    authorityKeyIdentifier: certificate.subjectKeyIdentifier ?? authority.signer.keyId,
    extra: [writeExtension(OID.ocspNoCheck, Buffer.from('0500', 'hex'))],
  };
  const body = lintCertificate(content, { notAfter: certificate.notAfter });
  const spkiHash = createHash('sha256').update(spki).digest('hex');
  return rowOf(authority, body, { spkiHash, dns: [], ip: [] });
}

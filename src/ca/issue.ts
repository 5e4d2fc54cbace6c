import type { CertificateRow } from '../store/ca.ts';
import {
  type CertificateContent,
  directoryString,
  type ExtendedKeyUsage,
  keyIdentifier,
  OID,
  writeName,
} from '../x509/index.ts';
import { type Authority, newSerial, signCertificate } from './authority.ts';
import { constraintsOf } from './chains.ts';
import { BACKDATE } from './hierarchy.ts';
import { type LintedBody, lintCertificate } from './lint.ts';

/** A leaf as it is asked for, by a caller who has checked that the asker may have it. */
export interface LeafRequest {
  /** SubjectPublicKeyInfo in DER. */
  readonly spki: Uint8Array;
  readonly spkiHash: string;
  readonly keyIsRsa: boolean;
  readonly dns: readonly string[];
  readonly ip: readonly string[];
  readonly commonName?: string;
  /** Milliseconds since the epoch; now when absent. */
  readonly notBefore?: number;
  readonly notAfter: number;
  readonly extendedKeyUsage: readonly ExtendedKeyUsage[];
  /** Whether OCSP must be stapled (RFC 7633). */
  readonly mustStaple?: boolean;
  readonly profileId?: string;
  readonly accountId?: string;
  readonly orderId?: string;
}

/** Where relying parties find out more (RFC 5280 §4.2.2.1, §4.2.1.13). Plain http, as they expect. */
export interface DistributionUrls {
  readonly crl: (authorityId: string, partition: number) => string;
  readonly ocsp: string;
  readonly issuer: (authorityId: string) => string;
}

/** Lists of a partition stay small: a leaf's serial number says which one it belongs to. */
export const CRL_PARTITIONS = 16;
export const crlPartition = (serial: Uint8Array): number => serial[serial.length - 1]! % CRL_PARTITIONS;

// status_request in a TLS feature list (RFC 7633 §4): SEQUENCE { INTEGER 5 }, not critical.
const MUST_STAPLE = Buffer.from('301106082b0601050507011804053003020105', 'hex');

/** Plans, lints and signs a leaf; answers the row by which it is known from then on. Writes nothing. */
export async function issueLeaf(
  authority: Authority,
  request: LeafRequest,
  now: number,
  urls: DistributionUrls | undefined,
): Promise<CertificateRow> {
  const content = planLeaf(authority, request, now, urls);
  const body = lintCertificate(content, {
    notAfter: authority.certificate.notAfter,
    constraints: constraintsOf(authority.certificate),
  });
  return rowOf(authority, body, request);
}

/** Signs what was linted; answers its row. */
export async function rowOf(
  authority: Authority,
  body: LintedBody,
  {
    spkiHash,
    dns,
    ip,
    profileId,
    accountId,
    orderId,
  }: Omit<LeafRequest, 'spki' | 'keyIsRsa' | 'notAfter' | 'extendedKeyUsage'>,
): Promise<CertificateRow> {
  const { serial, notBefore, notAfter } = body.content;
  return {
    serial: Buffer.from(serial).toString('hex'),
    authority_id: authority.id,
    profile_id: profileId ?? null,
    account_id: accountId ?? null,
    order_id: orderId ?? null,
    spki_hash: spkiHash,
    names: JSON.stringify([...dns, ...ip]),
    certificate: await signCertificate(body, authority.signer),
    not_before: notBefore,
    not_after: notAfter,
    revoked_at: null,
    reason: null,
    replaced_by: null,
  };
}

function planLeaf(
  authority: Authority,
  request: LeafRequest,
  now: number,
  urls: DistributionUrls | undefined,
): CertificateContent {
  const serial = newSerial();
  const { commonName } = request;
  return {
    serial,
    signature: authority.signer.algorithm,
    issuer: authority.certificate.subject,
    subject: commonName === undefined ? writeName([]) : writeName([[OID.commonName, directoryString(commonName)]]),
    subjectIsEmpty: commonName === undefined,
    notBefore: Math.floor((request.notBefore ?? now - BACKDATE) / 1000) * 1000,
    notAfter: Math.min(Math.floor(request.notAfter / 1000) * 1000, authority.certificate.notAfter),
    spki: request.spki,
    keyUsage: request.keyIsRsa ? ['digitalSignature', 'keyEncipherment'] : ['digitalSignature'],
    extendedKeyUsage: request.extendedKeyUsage,
    names: { dns: request.dns, ip: request.ip },
    authorityKeyIdentifier: authority.certificate.subjectKeyIdentifier ?? keyIdentifier(authority.signer.spki),
    crlUrl: urls?.crl(authority.id, crlPartition(serial)),
    ocspUrl: urls?.ocsp,
    issuerUrl: urls?.issuer(authority.id),
    extra: request.mustStaple === true ? [MUST_STAPLE] : undefined,
  };
}

import { element, enumerated, explicit, implicit, integer, sequence, TAG, time } from './der-write.ts';
import { uriName, writeExtension } from './extensions.ts';
import { OID } from './oids.ts';
import { algorithmIdentifier, type SignatureAlgorithm } from './signature.ts';

export interface RevokedEntry {
  /** Content bytes of the serial number. */
  readonly serial: Uint8Array;
  /** Milliseconds since the epoch. */
  readonly revokedAt: number;
  /** CRLReason; 0 (unspecified) is left out (RFC 5280 §5.3.1). */
  readonly reason: number;
}

export interface RevocationListContent {
  readonly signature: SignatureAlgorithm;
  /** Name in DER. */
  readonly issuer: Uint8Array;
  readonly thisUpdate: number;
  readonly nextUpdate: number;
  readonly number: number;
  readonly authorityKeyIdentifier: Uint8Array;
  /** Where this partition is found; the same URL as in the certificates that it covers (RFC 5280 §5.2.5). */
  readonly url?: string;
  readonly entries: readonly RevokedEntry[];
}

/** TBSCertList in DER (RFC 5280 §5.1). */
export function writeRevocationList(list: RevocationListContent): Buffer {
  const entries = list.entries.map(({ serial, revokedAt, reason }) =>
    sequence(
      element(TAG.integer, serial),
      time(revokedAt),
      ...(reason === 0 ? [] : [sequence(writeExtension(OID.reasonCode, enumerated(reason)))]),
    ),
  );
  const extensions = [
    writeExtension(OID.authorityKeyIdentifier, sequence(implicit(0, list.authorityKeyIdentifier))),
    writeExtension(OID.crlNumber, integer(list.number)),
  ];
  if (list.url !== undefined)
    extensions.push(writeExtension(OID.issuingDistributionPoint, distributionPoint(list.url), true));
  return sequence(
    integer(1),
    algorithmIdentifier(list.signature),
    list.issuer,
    time(list.thisUpdate),
    time(list.nextUpdate),
    ...(entries.length === 0 ? [] : [sequence(...entries)]),
    explicit(0, sequence(...extensions)),
  );
}

/** `onlyContainsUserCerts` and the full name of this partition. */
const distributionPoint = (url: string): Buffer =>
  sequence(explicit(0, explicit(0, uriName(url))), implicit(1, Buffer.of(0xff)));

import type { KeyObject } from 'node:crypto';
import ipaddr from 'ipaddr.js';
import { bitString, explicit, integer, oid, sequence, set } from './der-write.ts';
import { writeAlternativeNames, writeExtension, writeName } from './extensions.ts';
import { spkiOf } from './keys.ts';
import { OID } from './oids.ts';
import { algorithmIdentifier, signatureAlgorithmOf, signBytes } from './signature.ts';

/**
 * A certification request (RFC 2986) in DER for DNS names and IP addresses. The subject is empty and every name is in
 * subjectAltName (RFC 8555 §7.4 takes either), since a common name holds 64 characters and CAs are leaving it out.
 */
export function createCertificationRequest(names: readonly string[], key: KeyObject): Buffer {
  const isAddress = (name: string) => name.includes(':') || ipaddr.IPv4.isValidFourPartDecimal(name);
  const alternative = writeAlternativeNames({
    dns: names.filter((name) => !isAddress(name)),
    ip: names.filter(isAddress),
  });
  const extensions = sequence(writeExtension(OID.subjectAltName, alternative));
  const info = sequence(
    integer(0),
    writeName([]),
    spkiOf(key),
    explicit(0, sequence(oid(OID.extensionRequest), set(extensions))),
  );
  const algorithm = signatureAlgorithmOf(key);
  return sequence(info, algorithmIdentifier(algorithm), bitString(signBytes(algorithm, info, key)));
}

// x509 owns keys, names, requests, certificates and revocation lists as data (RFC 5280, RFC 2986). Pure.
// It refuses to know who asked, who signs and where anything is kept.
export { type ParsedCertificate, parseCertificate } from './certificate.ts';
export {
  type CertificateContent,
  type KeyUsage,
  keyBits,
  keyIdentifier,
  type NameConstraints,
  writeCertificateBody,
  writeSigned,
} from './certificate-write.ts';
export { type ChainFacts, checkChain, leafKey, parseChain } from './chain.ts';
export { type RevocationListContent, type RevokedEntry, writeRevocationList } from './crl.ts';
export { badCsr, type CertificationRequest, parseCertificationRequest } from './csr.ts';
export { createCertificationRequest } from './csr-create.ts';
export { directoryString, integerContent } from './der-write.ts';
export { type AlternativeNames, type Extension, writeAcmeIdentifier, writeExtension, writeName } from './extensions.ts';
export { describeKey, type KeyDescription, weakness } from './key-quality.ts';
export { generateKey, KEY_TYPES, type KeyType, keyDigest, keyPem, keyTypeOf, parsePrivateKey, spkiOf } from './keys.ts';
export { type ConstraintTexts, isWithin, planNameConstraints, readNameConstraints } from './name-constraints.ts';
export {
  isRegistrySuffix,
  isWildcard,
  matchesName,
  parseCertificateName,
  parseDnsName,
  registeredDomain,
} from './names.ts';
export {
  isIssuedBy,
  type OcspCertId,
  type OcspRequest,
  type OcspStatus,
  parseOcspRequest,
  writeOcspBody,
  writeOcspError,
  writeOcspResponse,
} from './ocsp.ts';
export { EXTENDED_KEY_USAGES, type ExtendedKeyUsage, OID } from './oids.ts';
export { parsePem, pemOf } from './pem.ts';
export { algorithmOid, type SignatureAlgorithm, signatureAlgorithmOf, signBytes, verifyBytes } from './signature.ts';

// x509 owns keys, names, requests, certificates and revocation lists as data (RFC 5280, RFC 2986). Pure.
// It refuses to know who asked, who signs and where anything is kept.
export { isWildcard, matchesName, parseCertificateName, parseDnsName, registeredDomain } from './names.ts';

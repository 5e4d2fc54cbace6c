// ca owns the certificate authority: its hierarchy and keys, the lint before every signature, issuing and revoking.
// It refuses to know who may have which name: callers have checked that, and HTTP and ACME are theirs.
export {
  type CertificateAuthority,
  type CertificateAuthorityOptions,
  createCertificateAuthority,
  type ServerCertificate,
} from './certificate-authority.ts';
export { createCaHandler, distributionUrls } from './http.ts';
export type { DistributionUrls, LeafRequest } from './issue.ts';
export type { Revocation } from './revocation.ts';
export type { Signer } from './signer.ts';

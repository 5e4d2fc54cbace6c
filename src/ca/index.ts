// ca owns the certificate authority: its hierarchy and keys, the lint before every signature, issuing and revoking.
// It refuses to know who may have which name: callers have checked that, and HTTP and ACME are theirs.

export type { Authority } from './authority.ts';
export {
  type CertificateAuthority,
  type CertificateAuthorityOptions,
  createCertificateAuthority,
  type ServerCertificate,
} from './certificate-authority.ts';
export type { HierarchySettings } from './hierarchy.ts';
export { createCaHandler, distributionUrls } from './http.ts';
export type { ImportedCa } from './import.ts';
export type { DistributionUrls, LeafRequest } from './issue.ts';
export type { Revocation } from './revocation.ts';
export type { Signer } from './signer.ts';
export type { CaFinding } from './upkeep.ts';

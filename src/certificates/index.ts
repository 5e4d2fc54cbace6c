// certificates owns the life of a certificate: the wish for names, its versions, when and where each is got and renewed.
// It decides in pure functions and keeps everything in the store, so that any process may take the next step. It refuses
// to know who serves what it gets, and reaches challenges and DNS through ports.

export { type CertificateFile, checkCertificateFiles } from './certificate-files.ts';
export { type CertificateEngine, createCertificateEngine } from './engine.ts';
export {
  type CertificateEventView,
  type Certificates,
  type CertificateVersionView,
  type CertificateView,
  type CertificateWish,
  REVOCATION_REASONS,
  type RevocationReason,
} from './face.ts';
export type { BuiltInIssuer, IssuerInput, Issuers, IssuerView } from './issuers.ts';
export type { MassRevocation, RevocationFilter, RevocationRehearsal } from './mass-revocation.ts';
export type { AcmePort, EngineDeps, EngineSettings, PreflightPort, SolverSource } from './ports.ts';

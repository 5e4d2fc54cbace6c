// ingress owns how an internal service gets a public endpoint and loses it again: what is checked, the plan, its steps,
// and the routes that follow from it. It refuses to know who may ask, who approved, and how its steps are kept going.

export type { IngressDeps } from './deps.ts';
export { exposeKind } from './expose.ts';
export { createExposureRoutes } from './exposure-routes.ts';
export {
  CHALLENGE_TYPES,
  DEFAULT_ISSUER,
  EXPOSE_FIELDS,
  type ExposeField,
  INTERNAL_ISSUER,
  UNEXPOSE_FIELDS,
} from './inputs.ts';
export { type MassRevocationPort, massRevocationKind } from './mass-revocation.ts';
export type {
  AddressLookupPort,
  CertificatePort,
  CredentialPort,
  IssuerPort,
  KnownCertificate,
  KnownCredential,
  OverlayPort,
  ProbePort,
  ProbeReport,
  PublishPort,
} from './ports.ts';
export { type RevocationPort, revokeCertificatesKind } from './revoke-certificates.ts';
export { createServiceProbe } from './service-probe.ts';
export { unexposeKind } from './unexpose.ts';

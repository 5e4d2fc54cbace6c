// domains owns apps' names: who holds a name, what DNS should say and does say, and which certificate and route follow.
// It refuses to know how a certificate is got, who may ask, and where routes are delivered.
export { CLAIM_LASTS_MS, planClaim } from './claim.ts';
export {
  addAutoDomain,
  type ClaimInput,
  claimDomain,
  type DomainsDeps,
  expectationOf,
  removeDomain,
} from './domains.ts';
export { type DomainLoop, runDomainLoop } from './loop.ts';
export { autoDomain, isLocal, proofName, proofValue } from './names.ts';
export { createOnDemand, type OnDemand } from './on-demand.ts';
export type {
  CertificateWishes,
  CredentialChoice,
  DelegatedCertificate,
  DnsViews,
  DomainSettings,
  NameLook,
  OnDemandSettings,
  ViewAnswer,
} from './ports.ts';
export { lookAgain, noteDelegated, reconcileDomain } from './reconcile.ts';
export { createSystemViews } from './system-views.ts';

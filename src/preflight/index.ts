// preflight owns looking before something is spent: what would make a CA refuse a name, and what a person can do about
// it, for the engine before each order and for `gatehouse doctor`. It refuses to mend anything, and orders nothing but
// what `doctor --staging` asks for.

export { type CaIdentity, caIdentityOf } from './ca-identity.ts';
export { createDoctor, type DoctorSources, type DoctorWish } from './doctor.ts';
export { caaAllows } from './judge-caa.ts';
export type { CredentialFacts } from './judge-delegation.ts';
export { type Finding, judgeName, type NameFacts } from './judge-name.ts';
export { createPreflight, type PreflightSources } from './preflight.ts';
export { tryIssue } from './try-issue.ts';

// acme-client owns speaking to any ACME server (RFC 8555, RFC 9773, profiles): signed requests, accounts, orders, and the
// whole way from names to a chain. It keeps nothing: accounts and orders are handed in and out. It refuses to know where
// keys rest, when to renew, and how a challenge is made visible, which its callers bring as solvers.
export { type AcmeAccount, accountOf, type Registration } from './account.ts';
export { type AcmeClient, type AcmeClientOptions, createAcmeClient } from './client.ts';
export { thumbprintOf } from './jws.ts';
export { type Obtained, type ObtainRequest, obtainCertificate } from './obtain.ts';
export type { AcmeOrder, NewOrder, Polled } from './order.ts';
export type { RenewalInfo } from './renewal-info.ts';
export type { Revocation } from './revoke.ts';
export type { ChallengeSolver, SolvableChallenge } from './solver.ts';
export type { ObtainStep, OnStep } from './steps.ts';

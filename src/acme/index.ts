// acme owns the nouns of RFC 8555, RFC 9773 and their extensions, as both a client and a server see them. Pure.
// It refuses to know transport, storage and who is asking.
export type { AccountObject, AccountStatus } from './account.ts';
export type { AuthorizationObject, AuthorizationStatus } from './authorization.ts';
export { CHALLENGE_TYPES, type ChallengeObject, type ChallengeStatus, type ChallengeType } from './challenge.ts';
export type { Directory, DirectoryMeta } from './directory.ts';
export { type Identifier, type IdentifierType, identifierKey, identifierOf, reverseName } from './identifier.ts';
export { dns01Value, jwkThumbprint, keyAuthorization, type PublicJwk } from './key-authorization.ts';
export type { OrderObject, OrderStatus } from './order.ts';
export { ACME_PROBLEMS, type AcmeProblemType, type ProblemDocument, problemTypeOf, problemUrn } from './problem.ts';
export { ariCertificateId, type RenewalInfoObject } from './renewal-info.ts';

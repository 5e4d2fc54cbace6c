import { type Static, Type } from 'typebox';
import { Nullable, named, Strict, Time, Why, words } from './common.ts';

export const CERTIFICATE_STATUSES = [
  'pending',
  'issuing',
  'valid',
  'renewing',
  'failed',
  'revoked',
  'expired',
] as const;
const Status = words(CERTIFICATE_STATUSES);

export const REVOCATION_REASONS = [
  'unspecified',
  'key-compromise',
  'affiliation-changed',
  'superseded',
  'cessation-of-operation',
  'privilege-withdrawn',
] as const;

/** How control of the names is proved. */
export const CHALLENGES = ['http-01', 'dns-01', 'tls-alpn-01', 'dns-account-01', 'dns-persist-01'] as const;
const Challenge = words(CHALLENGES);
export const ChallengeChoice = Type.Optional(Challenge);
export const IssuerChoice = Type.Optional(
  Type.Array(Type.String({ minLength: 1, maxLength: 64 }), {
    minItems: 1,
    maxItems: 8,
    description: 'issuer ids in order of preference',
  }),
);

export const CertificateVersion = named(
  'CertificateVersion',
  Type.Object({
    id: Type.String(),
    issuer: Type.String(),
    staging: Type.Boolean({ description: 'for trying only: browsers do not trust it' }),
    issuer_name: Type.String(),
    serial: Type.String(),
    fingerprint_sha256: Type.String(),
    not_before: Time,
    not_after: Time,
    issued_at: Time,
    revoked_at: Nullable(Time),
    revocation_reason: Nullable(Type.String()),
  }),
);
export type CertificateVersion = Static<typeof CertificateVersion>;

export const Certificate = named(
  'Certificate',
  Type.Object({
    id: Type.String(),
    names: Type.Array(Type.String()),
    status: Status,
    issuers: Type.Array(Type.String()),
    challenge: Type.String(),
    key_type: Type.String(),
    dns_credential_id: Nullable(Type.String()),
    references: Type.Array(Type.String(), { description: 'who needs it; it lives while one is left' }),
    served: Nullable(CertificateVersion),
    days_left: Nullable(Type.Number({ description: 'of the served version' })),
    why: Why,
    created_at: Time,
    updated_at: Time,
  }),
);
export type Certificate = Static<typeof Certificate>;

export const ServingFinding = named(
  'ServingFinding',
  Type.Object({
    certificate_id: Type.String(),
    name: Type.String(),
    publisher: Type.String({ description: 'the place that was looked at: edge, traefik-files, …' }),
    kind: words(['nothing_shown', 'default_certificate', 'differs', 'expired', 'chain', 'not_looked_at']),
    detail: Type.String(),
    since: Time,
    advice: Type.String(),
  }),
);
export type ServingFinding = Static<typeof ServingFinding>;

export const CertificateDetail = named(
  'CertificateDetail',
  Type.Object({
    ...Certificate.properties,
    versions: Type.Array(CertificateVersion),
    findings: Type.Array(ServingFinding, {
      description: 'where clients are shown something else than what was issued',
    }),
  }),
);
export type CertificateDetail = Static<typeof CertificateDetail>;

export const CertificateEvent = named(
  'CertificateEvent',
  Type.Object({
    seq: Type.Integer(),
    at: Time,
    step: Type.String({ description: 'order, challenge, validation, issued, served, problem, …' }),
    detail: Type.String(),
    problem: Nullable(
      Type.Object({
        type: Type.String(),
        detail: Type.String(),
        failed_party: Type.String(),
        advice: Nullable(Type.String()),
      }),
    ),
  }),
);
export type CertificateEvent = Static<typeof CertificateEvent>;

export const CreateCertificate = named(
  'CreateCertificate',
  Type.Object(
    {
      common_name: Type.Optional(Type.String({ maxLength: 1000, description: 'the first name' })),
      names: Type.Optional(Type.Array(Type.String({ maxLength: 1000 }), { maxItems: 100 })),
      issuers: IssuerChoice,
      challenge: ChallengeChoice,
      dns_credential_id: Type.Optional(Type.String({ maxLength: 100 })),
      key_type: Type.Optional(words(['ec-p256', 'ec-p384', 'rsa-2048', 'rsa-3072', 'rsa-4096'])),
      profile: Type.Optional(Type.String({ maxLength: 100 })),
      reuse_key: Type.Optional(
        Type.Boolean({ description: 'keep the key at renewals; a new one each time if absent' }),
      ),
    },
    Strict,
  ),
);
export type CreateCertificate = Static<typeof CreateCertificate>;

export const UploadCertificate = named(
  'UploadCertificate',
  Type.Object(
    {
      chain_pem: Type.String({ maxLength: 200_000, description: 'leaf first' }),
      private_key_pem: Type.String({ maxLength: 20_000, description: 'kept sealed, and never answered' }),
    },
    Strict,
  ),
);

export const RevokeCertificate = named(
  'RevokeCertificate',
  Type.Object(
    {
      reason: Type.Optional(words(REVOCATION_REASONS)),
      replace: Type.Optional(Type.Boolean({ description: 'get a new one at once' })),
      confirm: Type.String({ maxLength: 1000, description: 'the first name of the certificate, typed again' }),
    },
    Strict,
  ),
);
export type RevokeCertificate = Static<typeof RevokeCertificate>;

export const MassRevocation = named(
  'MassRevocation',
  Type.Object(
    {
      issuer: Type.Optional(Type.String({ maxLength: 64, description: 'issued by this issuer' })),
      key_sha256: Type.Optional(
        Type.String({ pattern: '^[0-9a-f]{64}$', description: 'with this key: hex SHA-256 of SubjectPublicKeyInfo' }),
      ),
      issued_from: Type.Optional(Time),
      issued_until: Type.Optional(Time),
      per_hour: Type.Optional(Type.Integer({ minimum: 1, maximum: 100_000, default: 100 })),
    },
    Strict,
  ),
);
export type MassRevocation = Static<typeof MassRevocation>;

export const MassRevocationRehearsal = named(
  'MassRevocationRehearsal',
  Type.Object({
    versions: Type.Integer({ description: 'unexpired, unrevoked versions that fit' }),
    served: Type.Integer({ description: 'of these, served: replaced first, and revoked when the new one is served' }),
    not_served: Type.Integer({ description: 'of these, not served any more: revoked without a replacement' }),
    per_hour: Type.Integer(),
    takes_seconds: Type.Integer(),
    examples: Type.Array(Type.String(), { description: 'a few of the names' }),
  }),
);
export type MassRevocationRehearsal = Static<typeof MassRevocationRehearsal>;

export const Quota = named(
  'Quota',
  Type.Object({
    limit: Type.String(),
    scope: Type.String(),
    used: Type.Integer(),
    most: Type.Integer(),
    resets_at: Time,
  }),
);

export type Quota = Static<typeof Quota>;

export const Issuer = named(
  'Issuer',
  Type.Object({
    id: Type.String(),
    directory: Type.String(),
    staging: Type.Boolean(),
    built_in: Type.Boolean(),
    contact: Type.Array(Type.String()),
    profile: Nullable(Type.String()),
    preferred_chain: Nullable(Type.String()),
    eab_key_id: Nullable(Type.String()),
    has_ca_certificate: Type.Boolean(),
    account_url: Nullable(Type.String()),
    terms_url: Nullable(Type.String({ description: 'terms of service that were agreed to' })),
    terms_agreed_at: Nullable(Time),
    held_until: Nullable(Time),
    held_because: Nullable(Type.String({ description: 'why it is not asked before then' })),
    quota: Type.Array(Quota),
    created_at: Time,
  }),
);
export type Issuer = Static<typeof Issuer>;

export const PutIssuer = named(
  'PutIssuer',
  Type.Object(
    {
      id: Type.Optional(Type.String({ pattern: '^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$', description: 'a short name' })),
      directory: Type.String({ maxLength: 2000, description: 'https://…/directory' }),
      ca_certificate: Type.Optional(Type.String({ maxLength: 100_000, description: 'PEM of roots for its HTTPS' })),
      contact: Type.Optional(Type.Array(Type.String({ maxLength: 320 }), { maxItems: 10 })),
      profile: Type.Optional(Type.String({ maxLength: 100 })),
      preferred_chain: Type.Optional(Type.String({ maxLength: 200 })),
      eab: Type.Optional(
        Type.Object({ key_id: Type.String({ maxLength: 500 }), hmac_key: Type.String({ maxLength: 500 }) }, Strict),
      ),
      staging: Type.Optional(Type.Boolean()),
    },
    Strict,
  ),
);
export type PutIssuer = Static<typeof PutIssuer>;

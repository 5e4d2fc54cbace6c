import { type Static, Type } from 'typebox';
import { Nullable, named, Strict, Time, words } from './common.ts';

const Open = { additionalProperties: true } as const;

export const AcmeProfile = named(
  'AcmeProfile',
  Type.Object(
    {
      id: Type.String(),
      default: Type.Boolean(),
      auth_mode: words(['challenge', 'trust_authenticated']),
      eab_required: Type.Boolean(),
      directory: Type.String({ description: 'path of its directory, below the origin of the ACME server' }),
      max_ttl_seconds: Type.Integer(),
      created_at: Time,
      updated_at: Time,
    },
    Open,
  ),
);
export type AcmeProfile = Static<typeof AcmeProfile>;

export const EabKey = named(
  'EabKey',
  Type.Object({
    id: Type.String({ description: 'the kid of a binding' }),
    profile: Type.String(),
    status: words(['unused', 'bound', 'expired', 'revoked']),
    settings: Type.Object({
      description: Type.Optional(Type.String()),
      names: Type.Object({ allow: Type.Array(Type.String()), deny: Type.Array(Type.String()) }),
      auth_mode: Type.Optional(words(['challenge', 'trust_authenticated'])),
      max_certificates: Type.Optional(Type.Integer()),
    }),
    account: Nullable(Type.String()),
    certificates: Type.Integer({ description: 'issued under it so far' }),
    created_at: Time,
    expires_at: Nullable(Time),
  }),
);
export type EabKey = Static<typeof EabKey>;

export const CreatedEabKey = named(
  'CreatedEabKey',
  Type.Object({
    ...EabKey.properties,
    hmac_key: Type.String({ description: 'base64url; shown here and never again' }),
  }),
);
export type CreatedEabKey = Static<typeof CreatedEabKey>;

export const CreateEabKey = named(
  'CreateEabKey',
  Type.Object(
    {
      description: Type.Optional(Type.String({ maxLength: 300 })),
      names: Type.Optional(
        Type.Object(
          {
            allow: Type.Optional(Type.Array(Type.String({ maxLength: 300 }), { maxItems: 10_000 })),
            deny: Type.Optional(Type.Array(Type.String({ maxLength: 300 }), { maxItems: 10_000 })),
          },
          Strict,
        ),
      ),
      auth_mode: Type.Optional(words(['challenge', 'trust_authenticated'])),
      max_certificates: Type.Optional(Type.Integer({ minimum: 1 })),
      expires_in_days: Type.Optional(Type.Integer({ minimum: 1, maximum: 3650 })),
    },
    Strict,
  ),
);
export type CreateEabKey = Static<typeof CreateEabKey>;

export const AcmeAccount = named(
  'AcmeAccount',
  Type.Object({
    id: Type.String(),
    profile: Type.String(),
    status: words(['valid', 'deactivated', 'revoked']),
    contact: Type.Array(Type.String()),
    thumbprint: Type.String({ description: 'of its key (RFC 7638)' }),
    eab_key: Nullable(Type.String()),
    created_at: Time,
  }),
);
export type AcmeAccount = Static<typeof AcmeAccount>;

export const AcmeOrder = named(
  'AcmeOrder',
  Type.Object({
    id: Type.String(),
    status: words(['pending', 'ready', 'processing', 'valid', 'invalid']),
    names: Type.Array(Type.String()),
    problem: Nullable(Type.String({ description: 'why it failed' })),
    certificate_serial: Nullable(Type.String()),
    created_at: Time,
    expires_at: Time,
  }),
);
export type AcmeOrder = Static<typeof AcmeOrder>;

import { type Static, Type } from 'typebox';
import { Nullable, named, Strict, Time, words } from './common.ts';

export const DnsCredential = named(
  'DnsCredential',
  Type.Object({
    id: Type.String(),
    name: Type.String(),
    provider: Type.String(),
    zones: Type.Array(Type.String(), { description: 'zones it is bound to; empty: all that it can see' }),
    secret_path: Type.String({ description: 'where its secret rests; the secret never comes out' }),
    validation: words(['unproven', 'valid', 'failed']),
    validated_at: Nullable(Time),
    validation_detail: Nullable(Type.String()),
    created_at: Time,
  }),
);
export type DnsCredential = Static<typeof DnsCredential>;

export const CreateDnsCredential = named(
  'CreateDnsCredential',
  Type.Object(
    {
      name: Type.String({ minLength: 1, maxLength: 100 }),
      provider: Type.String({ minLength: 1, maxLength: 50 }),
      zones: Type.Optional(Type.Array(Type.String({ maxLength: 253 }), { maxItems: 1000 })),
      fields: Type.Record(Type.String({ maxLength: 100 }), Type.String({ maxLength: 20_000 }), {
        description: "the provider's fields, secrets among them",
      }),
    },
    Strict,
  ),
);
export type CreateDnsCredential = Static<typeof CreateDnsCredential>;

export const DnsProvider = named(
  'DnsProvider',
  Type.Object({
    id: Type.String(),
    name: Type.String(),
    fields: Type.Array(
      Type.Object({
        name: Type.String(),
        secret: Type.Boolean(),
        required: Type.Boolean(),
        description: Type.String(),
      }),
    ),
  }),
);
export type DnsProvider = Static<typeof DnsProvider>;

export const DoctorFinding = named(
  'DoctorFinding',
  Type.Object({
    check: Type.String(),
    outcome: words(['good', 'advice', 'wrong']),
    detail: Type.String(),
    advice: Nullable(Type.String()),
  }),
);
export type DoctorFinding = Static<typeof DoctorFinding>;

export const TryIssue = named(
  'TryIssue',
  Type.Object(
    {
      name: Type.String({ maxLength: 1000, description: 'exact, wildcard or address' }),
      issuer: Type.Optional(
        Type.String({ maxLength: 64, description: 'a staging issuer; letsencrypt-staging when absent' }),
      ),
    },
    Strict,
  ),
);
export type TryIssue = Static<typeof TryIssue>;

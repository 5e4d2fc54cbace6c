import { type Static, Type } from 'typebox';
import { Nullable, named, Strict, Time, words } from './common.ts';
import { ALL_PERMISSIONS } from './permissions.ts';

const PermissionWord = words(ALL_PERMISSIONS);

export const Token = named(
  'Token',
  Type.Object({
    id: Type.String(),
    name: Type.String(),
    permissions: Type.Array(Type.String()),
    apps: Nullable(Type.Array(Type.String(), { description: 'app ids it is limited to; null for all' })),
    created_by: Type.String(),
    belongs_to: Type.String({ description: 'whose it is; two tokens of one person count as one approver' }),
    created_at: Time,
    expires_at: Nullable(Time),
    last_used_at: Nullable(Time),
    revoked_at: Nullable(Time),
  }),
);
export type Token = Static<typeof Token>;

export const CreatedToken = named(
  'CreatedToken',
  Type.Object({ ...Token.properties, token: Type.String({ description: 'shown here and never again' }) }),
);
export type CreatedToken = Static<typeof CreatedToken>;

export const CreateToken = named(
  'CreateToken',
  Type.Object(
    {
      name: Type.String({ minLength: 1, maxLength: 100 }),
      permissions: Type.Array(PermissionWord, { minItems: 1, maxItems: 20, uniqueItems: true }),
      apps: Type.Optional(Type.Array(Type.String({ maxLength: 100 }), { minItems: 1, maxItems: 1000 })),
      belongs_to: Type.Optional(
        Type.String({
          minLength: 1,
          maxLength: 200,
          description: 'the person it is for, such as an e-mail address; absent: whoever makes it',
        }),
      ),
      expires_in_days: Type.Optional(Type.Integer({ minimum: 1, maximum: 3650 })),
    },
    Strict,
  ),
);
export type CreateToken = Static<typeof CreateToken>;

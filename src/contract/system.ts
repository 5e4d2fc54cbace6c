import { type Static, Type } from 'typebox';
import { Certificate, Quota, ServingFinding } from './certificates.ts';
import { Nullable, named, Time } from './common.ts';

export const EdgeTraffic = Type.Object({
  at: Time,
  workers: Type.Integer({ description: 'worker processes that serve' }),
  open_connections: Type.Integer(),
  certificates: Type.Integer({ description: 'that may be served' }),
  handshakes: Type.Array(
    Type.Object({ version: Type.String(), kind: Type.String(), group: Type.String(), count: Type.Integer() }),
    { description: 'completed since the workers started' },
  ),
  handshakes_failed: Type.Integer(),
  points: Type.Array(
    Type.Object({
      at: Time,
      requests_per_second: Type.Number(),
      handshakes_per_second: Type.Number(),
      errors_per_second: Type.Number({ description: 'answers of status 500 and above' }),
    }),
    { description: 'the last five minutes, oldest first' },
  ),
});
export type EdgeTraffic = Static<typeof EdgeTraffic>;

export const PublisherStatus = Type.Object({
  name: Type.String(),
  up_to_date_at: Nullable(Time),
  pending: Type.Integer({ description: 'items still to be delivered' }),
  problem: Nullable(Type.Object({ detail: Type.String(), advice: Nullable(Type.String()) })),
});

export const SystemStatus = named(
  'SystemStatus',
  Type.Object({
    time: Time,
    change: Type.Integer({ description: 'number of the newest change; grows with every one' }),
    apps: Type.Integer(),
    domains: Type.Object({
      total: Type.Integer(),
      by_dns: Type.Record(Type.String(), Type.Integer()),
    }),
    certificates: Type.Record(Type.String(), Type.Integer(), { description: 'how many are in each status' }),
    needs_attention: Type.Array(Certificate),
    findings: Type.Array(ServingFinding, {
      description: 'where clients are shown something else than what was issued, as several looks confirmed',
    }),
    ca_findings: Type.Array(Type.Object({ detail: Type.String(), advice: Type.String() }), {
      description: 'what our own certificate authority could not do by itself',
    }),
    ending_soon: Type.Array(Certificate, { description: 'served versions that end within 30 days' }),
    runway: Type.Array(
      Type.Object({
        within_days: Nullable(Type.Integer({ description: '0: expired; null: later than all others' })),
        count: Type.Integer(),
      }),
      { description: 'served versions by days left, soonest first' },
    ),
    next_renewals: Type.Array(Certificate, { description: 'soonest first' }),
    missions_waiting: Type.Integer({ description: 'proposed and not decided' }),
    publishers: Type.Array(PublisherStatus),
    edge: Nullable(EdgeTraffic),
    issuers: Type.Array(Type.Object({ id: Type.String(), quota: Type.Array(Quota) })),
  }),
);
export type SystemStatus = Static<typeof SystemStatus>;

export const SystemCa = named(
  'SystemCa',
  Type.Object({
    root_pem: Type.String(),
    root_file: Nullable(Type.String({ description: 'where the root is on the machine of the server' })),
  }),
);
export type SystemCa = Static<typeof SystemCa>;

export const CaAuthority = named(
  'CaAuthority',
  Type.Object({
    id: Type.String(),
    kind: Type.Enum(['root', 'intermediate']),
    state: Type.Enum(['active', 'retired'], { description: 'retired ones sign revocation lists only' }),
    not_after: Type.String({ format: 'date-time' }),
    certificate_pem: Type.String(),
  }),
);
export type CaAuthority = Static<typeof CaAuthority>;

export const RollOverCa = named(
  'RollOverCa',
  Type.Object(
    {
      root: Type.Optional(
        Type.Boolean({ description: 'a new root too; the new intermediate is certified by both roots' }),
      ),
    },
    { additionalProperties: false },
  ),
);
export type RollOverCa = Static<typeof RollOverCa>;

export const ImportCa = named(
  'ImportCa',
  Type.Object(
    {
      chain_pem: Type.String({ maxLength: 100_000, description: 'the certificate that signs first, the root last' }),
      key_pem: Type.String({ maxLength: 50_000, description: 'the key of the first certificate; it never comes out' }),
      passphrase: Type.Optional(Type.String({ maxLength: 1_000, description: 'of the key, where it is encrypted' })),
    },
    { additionalProperties: false },
  ),
);
export type ImportCa = Static<typeof ImportCa>;

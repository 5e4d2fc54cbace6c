import { type Static, Type } from 'typebox';
import { Certificate, Quota } from './certificates.ts';
import { Nullable, named, Time } from './common.ts';

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
    ending_soon: Type.Array(Certificate, { description: 'served versions that end within 30 days' }),
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

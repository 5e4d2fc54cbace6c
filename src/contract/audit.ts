import { type Static, Type } from 'typebox';
import { Nullable, named, Time, words } from './common.ts';

export const AuditEvent = named(
  'AuditEvent',
  Type.Object({
    seq: Type.Integer(),
    at: Time,
    actor: Type.String(),
    actor_name: Type.String({ description: 'what people call the actor' }),
    action: Type.String(),
    resource: Type.String(),
    outcome: words(['done', 'refused', 'failed']),
    facts: Type.Record(Type.String(), Type.Unknown()),
    seal: Nullable(Type.Integer({ description: 'number of the seal that covers it; null until sealed' })),
  }),
);
export type AuditEvent = Static<typeof AuditEvent>;

export const AuditVerdict = named(
  'AuditVerdict',
  Type.Object({
    ok: Type.Boolean(),
    seals: Type.Integer(),
    events: Type.Integer(),
    unsealed: Type.Integer(),
    head: Type.String({ description: 'keep it elsewhere, to prove later that no end was cut off' }),
    problem: Nullable(Type.String()),
  }),
);
export type AuditVerdict = Static<typeof AuditVerdict>;

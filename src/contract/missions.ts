import { type Static, Type } from 'typebox';
import { Nullable, named, Strict, Time, Why, words } from './common.ts';

export const MISSION_STATUSES = [
  'proposed',
  'approved',
  'rejected',
  'running',
  'succeeded',
  'failed',
  'expired',
] as const;

const Json = Type.Record(Type.String(), Type.Unknown());

export const Mission = named(
  'Mission',
  Type.Object({
    id: Type.String(),
    kind: Type.String(),
    title: Type.String(),
    status: words(MISSION_STATUSES),
    inputs: Json,
    plan: Type.Array(Type.Object({ step: Type.String(), action: Type.String(), detail: Type.String() })),
    steps_completed: Type.Array(Type.String()),
    warnings: Type.Array(Type.String()),
    result: Nullable(Json),
    why: Why,
    asked_by: Type.String(),
    approvals: Type.Array(Type.Object({ by: Type.String(), at: Time })),
    approvals_needed: Type.Integer(),
    rejected_by: Nullable(Type.String()),
    expires_at: Time,
    created_at: Time,
    updated_at: Time,
  }),
);
export type Mission = Static<typeof Mission>;

export const ProposeMission = named(
  'ProposeMission',
  Type.Object(
    {
      kind: Type.String({ minLength: 1, maxLength: 100, description: 'such as expose_service_publicly' }),
      inputs: Json,
    },
    Strict,
  ),
);
export type ProposeMission = Static<typeof ProposeMission>;

export const RejectMission = named(
  'RejectMission',
  Type.Object({ reason: Type.Optional(Type.String({ maxLength: 1000 })) }, Strict),
);

export const MissionEvent = named(
  'MissionEvent',
  Type.Object({ seq: Type.Integer(), at: Time, step: Type.String(), state: Type.String(), detail: Type.String() }),
);
export type MissionEvent = Static<typeof MissionEvent>;

/** A document whose own engine says its members. */
export const OwnDocument = Type.Object({ id: Type.String() }, { additionalProperties: true });
export type OwnDocument = Static<typeof OwnDocument> & Readonly<Record<string, unknown>>;

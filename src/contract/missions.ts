import { type Static, Type } from 'typebox';
import { Nullable, named, PageQuery, Strict, Time, Why, words } from './common.ts';
import type { Permission } from './permissions.ts';

export const MISSION_STATUSES = [
  'proposed',
  'approved',
  'rejected',
  'running',
  'succeeded',
  'failed',
  'expired',
] as const;

/** What may be proposed, in words, and the permission that proposing takes. Approving always takes `missions.approve`. */
export const MISSION_KINDS = {
  expose_service_publicly: {
    permission: 'system.ingress.manage',
    description: 'give an internal service a stable public endpoint, with TLS',
  },
  unexpose_service: {
    permission: 'system.ingress.manage',
    description: 'withdraw a service from the internet',
  },
  open_port_mapping: {
    permission: 'system.network.manage',
    description: 'let a hub forward a port mapping that was made by hand',
  },
  close_port_mapping: {
    permission: 'system.network.manage',
    description: 'stop and remove a port mapping that was made by hand',
  },
  revoke_certificates: {
    permission: 'system.acme.manage',
    description: 'revoke several certificates at once',
  },
  mass_revoke_certificates: {
    permission: 'system.acme.manage',
    description: 'replace, then revoke, every certificate of an issuer, a key or a time span, at a bounded rate',
  },
} as const satisfies Record<string, { permission: Permission; description: string }>;

export type MissionKindName = keyof typeof MISSION_KINDS;
export const MISSION_KIND_NAMES = Object.keys(MISSION_KINDS) as readonly MissionKindName[];

export const MissionStep = Type.Object({
  step: Type.String(),
  action: Type.String({ description: 'create, reuse, change, remove, check, …' }),
  detail: Type.String(),
});

const Values = Type.Record(Type.String(), Type.Unknown());

export const Mission = named(
  'Mission',
  Type.Object({
    id: Type.String(),
    kind: Type.String(),
    title: Type.String(),
    status: words(MISSION_STATUSES),
    inputs: Values,
    plan: Type.Array(MissionStep, { description: 'what will be made and what is used again' }),
    steps_completed: Type.Array(Type.String()),
    warnings: Type.Array(Type.String()),
    result: Nullable(Values),
    why: Why,
    asked_by: Type.String({ description: 'as in the audit log' }),
    asked_by_name: Type.String({ description: 'what people call the asker' }),
    approvals: Type.Array(Type.Object({ by: Type.String(), name: Type.String(), at: Time })),
    approvals_needed: Type.Integer(),
    rejected_by: Nullable(Type.String()),
    rejected_by_name: Nullable(Type.String()),
    approve: Nullable(
      Type.Object({
        permission: Type.String(),
        path: Type.String({ description: 'POST here to approve' }),
        command: Type.String(),
        console: Type.String({ description: 'path of its page in the console' }),
      }),
      // While it is proposed.
    ),
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
      kind: words(MISSION_KIND_NAMES),
      // The engine checks every input at once and says the same words on every surface, so this does not.
      inputs: Type.Record(Type.String(), Type.Unknown(), { maxProperties: 50 }),
    },
    Strict,
  ),
);
export type ProposeMission = Static<typeof ProposeMission>;

export const RejectMission = named(
  'RejectMission',
  Type.Object({ reason: Type.Optional(Type.String({ maxLength: 1000 })) }, Strict),
);

export const MissionQuery = Type.Object({ ...PageQuery, status: Type.Optional(words(MISSION_STATUSES)) });

export const MissionEvent = named(
  'MissionEvent',
  Type.Object({
    seq: Type.Integer(),
    at: Time,
    step: Type.String({ description: 'a step of the plan, or mission' }),
    state: Type.String({ description: 'started, note, done, failed; of the mission: its status' }),
    detail: Type.String(),
  }),
);
export type MissionEvent = Static<typeof MissionEvent>;

/** A document whose own engine says its members. */
export const OwnDocument = Type.Object({ id: Type.String() }, { additionalProperties: true });
export type OwnDocument = Static<typeof OwnDocument> & Readonly<Record<string, unknown>>;

// missions owns plans that run only after approval: proposing, approving, rejecting, and running them step by step so
// that a crash at any point loses nothing. It refuses to know what the steps do; each kind of operation brings them.
export { type Concierge, type ConciergeDeps, createConcierge } from './concierge/concierge.ts';
export { gatherKnown, type KnownPorts } from './concierge/gather-known.ts';
export { type BriefModel, createBriefModel, type ModelSettings } from './concierge/model.ts';
export type {
  Json,
  JsonObject,
  MissionKind,
  MissionPlan,
  PlannedStep,
  StepContext,
  StepResult,
  StepRunner,
} from './kind.ts';
export { createMissions, type MissionEventView, type Missions, type MissionsDeps } from './missions.ts';
export { type ApprovalPolicy, DEFAULT_POLICY, TRANSITIONS } from './policy.ts';
export { createMissionRunner, type MissionRunner } from './reconcile.ts';
export { EndOfTheWorld } from './run.ts';
export type { MissionView } from './view.ts';

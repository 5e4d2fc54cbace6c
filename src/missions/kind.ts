import type { FaultDetails } from '../base/index.ts';

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

/** One line of a plan as a person reads it before approving. */
export interface PlannedStep {
  readonly step: string;
  /** `create` `reuse` `change` `remove` `check` … */
  readonly action: string;
  readonly detail: string;
}

export interface MissionPlan {
  readonly title: string;
  /** The inputs in their one spelling; a plan made from them again is the same plan. */
  readonly inputs: JsonObject;
  readonly steps: readonly PlannedStep[];
  readonly warnings: readonly string[];
  /** What the steps go by: ids and values, found while planning. Part of what is approved. */
  readonly resolved: JsonObject;
}

export interface StepContext {
  readonly missionId: string;
  readonly plan: MissionPlan;
  /** What earlier steps made, by step. */
  readonly made: Readonly<Record<string, JsonObject>>;
  /** Adds a line to the mission's events. */
  note(detail: string): Promise<void>;
  /** Aborted when this runner has lost the mission, or the program ends. */
  readonly signal: AbortSignal;
}

export interface StepResult {
  readonly outputs: JsonObject;
  readonly warnings?: readonly string[];
}

/** One step. It may run again after a crash at any point, so it looks for what is there before it makes anything. */
export interface StepRunner {
  readonly step: string;
  run(context: StepContext): Promise<StepResult>;
}

/** What missions must know of a kind of operation. Ingress and others bring these; missions refuses to know more. */
export interface MissionKind {
  readonly kind: string;
  /** In words, for people and MCP. */
  readonly description: string;
  /** Throws a `Fault` with every problem of the inputs; makes nothing. */
  plan(inputs: Readonly<Record<string, unknown>>): Promise<MissionPlan>;
  readonly runners: readonly StepRunner[];
  /** The answer when every step is done. */
  result(plan: MissionPlan, made: Readonly<Record<string, JsonObject>>): JsonObject;
  /** After the last attempt of a step failed: what was made stays, and says so. */
  failed?(context: Pick<StepContext, 'missionId' | 'plan' | 'made'>, problem: FaultDetails): Promise<void>;
}

import {
  MISSION_KINDS,
  type Mission,
  type MissionEvent,
  type MissionKindName,
  type ProposeMission,
} from '../contract/index.ts';
import type { MissionStatus } from '../store/missions.ts';
import { type Actor, may, requirePermission, requireUnscoped } from './actor.ts';
import { absent, type ControlDeps, notFound, performed } from './context.ts';
import { problemDocument, time } from './documents.ts';
import { decodeCursor, limitOf, type Page, type PageInput, pageOf } from './page.ts';
import type { MissionPort, MissionView } from './ports/index.ts';
import { standingOf } from './standing.ts';

export interface MissionUseCases {
  /** Plans and proposes; nothing is done. */
  propose(actor: Actor, input: ProposeMission): Promise<Mission>;
  list(actor: Actor, input: PageInput & { status?: MissionStatus }): Promise<Page<Mission>>;
  get(actor: Actor, id: string): Promise<Mission>;
  approve(actor: Actor, id: string): Promise<Mission>;
  reject(actor: Actor, id: string, reason?: string): Promise<Mission>;
  events(actor: Actor, id: string, after: number, limit: number): Promise<MissionEvent[]>;
}

export function createMissionUseCases(deps: ControlDeps): MissionUseCases {
  const port = (): MissionPort => {
    if (deps.missions === undefined) throw absent('missions');
    return deps.missions;
  };
  const found = async (id: string): Promise<MissionView> => {
    const view = await port().get(id);
    if (view === undefined) throw notFound('mission', id, 'gatehouse missions list');
    return view;
  };
  const decide = (verb: 'approve' | 'reject', id: string, facts: Readonly<Record<string, unknown>>) =>
    ({
      permission: 'missions.approve',
      action: `mission.${verb}`,
      resource: `mission:${id.slice(0, 100)}`,
      facts,
    }) as const;
  return {
    propose: (actor, { kind, inputs }) => {
      const { permission } = MISSION_KINDS[kind];
      const act = { permission, action: 'mission.propose', resource: `mission:${kind}`, facts: { inputs } } as const;
      return performed(deps, actor, act, async () => {
        requireUnscoped(actor, 'a mission');
        return missionDocument(await port().propose(kind, inputs, await standingOf(deps.store.db, actor)));
      });
    },
    async list(actor, input) {
      requireSight(actor);
      const limit = limitOf(input);
      const before = decodeCursor(input.cursor, 'string');
      const views = await port().list(
        { ...(input.status !== undefined && { statuses: [input.status] }) },
        { limit: limit + 1, ...(before !== undefined && { before }) },
      );
      return pageOf(views, limit, ({ id }) => id, missionDocument);
    },
    async get(actor, id) {
      requireSight(actor);
      return missionDocument(await found(id));
    },
    async approve(actor, id) {
      // What is approved is told in the audit log, to those who may know it.
      const known = may(actor, 'missions.approve') ? await port().get(id) : undefined;
      const facts = known === undefined ? {} : { kind: known.kind, title: known.title, inputs: known.inputs };
      return performed(deps, actor, decide('approve', id, facts), async () => {
        requireUnscoped(actor, 'a mission');
        await found(id);
        return missionDocument(await port().approve(id, await standingOf(deps.store.db, actor)));
      });
    },
    reject: (actor, id, reason = '') =>
      performed(deps, actor, decide('reject', id, { reason }), async () => {
        requireUnscoped(actor, 'a mission');
        return missionDocument(await port().reject(id, await standingOf(deps.store.db, actor), reason));
      }),
    async events(actor, id, after, limit) {
      requireSight(actor);
      await found(id);
      return (await port().events(id, after, limit)).map((event) => ({ ...event, at: time(event.at) }));
    },
  };
}

/** Whoever may ask for one kind of mission, or decide on one, sees them all. */
function requireSight(actor: Actor): void {
  requireUnscoped(actor, 'missions');
  const kinds = Object.values(MISSION_KINDS).map(({ permission }) => permission);
  if (!kinds.some((permission) => may(actor, permission)) && !may(actor, 'missions.approve'))
    requirePermission(actor, 'system.ingress.read');
}

export function missionDocument(view: MissionView): Mission {
  const { lastProblem } = view;
  return {
    id: view.id,
    kind: view.kind,
    title: view.title,
    status: view.status,
    inputs: { ...view.inputs },
    plan: view.plan.map((step) => ({ ...step })),
    steps_completed: [...view.stepsCompleted],
    warnings: [...view.warnings],
    result: view.result === undefined ? null : { ...view.result },
    why: {
      summary: view.summary,
      problem: lastProblem === undefined ? null : problemDocument({ ...lastProblem, at: view.updatedAt }),
      attempts: view.attempts,
      next_attempt_at: null,
      advice: lastProblem?.advice ?? null,
    },
    asked_by: view.askedBy,
    asked_by_name: view.askedByName,
    approvals: view.approvals.map(({ at, ...approval }) => ({ ...approval, at: time(at) })),
    approvals_needed: view.approvalsNeeded,
    rejected_by: view.rejectedBy ?? null,
    rejected_by_name: view.rejectedByName ?? null,
    approve:
      view.status === 'proposed'
        ? {
            permission: 'missions.approve',
            path: `/api/v1/missions/${view.id}/approve`,
            command: `gatehouse missions approve ${view.id}`,
            console: `/app/missions/${view.id}`,
          }
        : null,
    expires_at: time(view.expiresAt),
    created_at: time(view.createdAt),
    updated_at: time(view.updatedAt),
  };
}

export const isMissionKind = (text: string): text is MissionKindName => Object.hasOwn(MISSION_KINDS, text);

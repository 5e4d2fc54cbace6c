import type { MISSION_STATUSES, Mission, MissionEvent, OwnDocument, ProposeMission } from '../contract/index.ts';
import { type Actor, may, permissionMissing, requirePermission } from './actor.ts';
import { absent, type ControlDeps, guarded, notFound, performed } from './context.ts';
import { problemDocument, time } from './documents.ts';
import { decodeCursor, limitOf, type Page, type PageInput, pageOf } from './page.ts';
import type { ConversationPort, MissionPort, MissionView } from './ports/index.ts';

export interface MissionUseCases {
  /** Nothing runs before it is approved. */
  propose(actor: Actor, input: ProposeMission): Promise<Mission>;
  /** Newest first. */
  list(actor: Actor, input: PageInput & { status?: (typeof MISSION_STATUSES)[number] }): Promise<Page<Mission>>;
  get(actor: Actor, id: string): Promise<Mission>;
  approve(actor: Actor, id: string): Promise<Mission>;
  reject(actor: Actor, id: string, reason: string): Promise<Mission>;
  events(actor: Actor, id: string, after: number, limit: number): Promise<MissionEvent[]>;
  startConversation(actor: Actor): Promise<OwnDocument>;
  listConversations(actor: Actor, page: PageInput): Promise<Page<OwnDocument>>;
  getConversation(actor: Actor, id: string): Promise<OwnDocument>;
  messages(actor: Actor, id: string, after: number, limit: number): Promise<OwnDocument[]>;
  say(actor: Actor, id: string, text: string): Promise<OwnDocument>;
}

/** Whoever may ask for an exposure or decide on one may see missions. */
function requireReader(actor: Actor): void {
  const readers = ['system.ingress.read', 'system.ingress.manage', 'missions.approve'] as const;
  if (!readers.some((permission) => may(actor, permission))) throw permissionMissing('system.ingress.read');
}

export function createMissionUseCases(deps: ControlDeps): MissionUseCases {
  const engine = (): MissionPort => {
    if (deps.missions === undefined) throw absent('publishing by missions');
    return deps.missions;
  };
  const concierge = (): ConversationPort => {
    if (deps.conversations === undefined) throw absent('the concierge');
    return deps.conversations;
  };
  const act = (
    permission: 'system.ingress.manage' | 'missions.approve',
    action: string,
    resource: string,
    facts = {},
  ) => ({
    permission,
    action,
    resource: resource.slice(0, 300),
    facts,
  });
  const before = (page: PageInput) => {
    const cursor = decodeCursor(page.cursor, 'string');
    return { limit: limitOf(page) + 1, ...(cursor !== undefined && { before: cursor }) };
  };
  return {
    propose: (actor, input) =>
      performed(
        deps,
        actor,
        act('system.ingress.manage', 'mission.propose', `mission:${input.kind}`, { inputs: input.inputs }),
        async () => missionDocument(await engine().propose(input.kind, input.inputs, actor.name)),
      ),
    async list(actor, input) {
      requireReader(actor);
      const filter = input.status === undefined ? {} : { statuses: [input.status] };
      const rows = await engine().list(filter, before(input));
      return pageOf(rows, limitOf(input), ({ id }) => id, missionDocument);
    },
    async get(actor, id) {
      requireReader(actor);
      const view = await engine().get(id);
      if (view === undefined) throw notFound('mission', id, 'gatehouse missions list');
      return missionDocument(view);
    },
    approve: (actor, id) =>
      performed(deps, actor, act('missions.approve', 'mission.approve', `mission:${id}`), async () =>
        missionDocument(await engine().approve(id, actor.name)),
      ),
    reject: (actor, id, reason) =>
      performed(deps, actor, act('missions.approve', 'mission.reject', `mission:${id}`, { reason }), async () =>
        missionDocument(await engine().reject(id, actor.name, reason)),
      ),
    async events(actor, id, after, limit) {
      requireReader(actor);
      if ((await engine().get(id)) === undefined) throw notFound('mission', id, 'gatehouse missions list');
      return (await engine().events(id, after, limit)).map((event) => ({ ...event, at: time(event.at) }));
    },
    startConversation: (actor) =>
      guarded(deps, actor, act('system.ingress.manage', 'conversation.start', 'conversation:new'), () =>
        concierge().start(actor.name),
      ),
    async listConversations(actor, page) {
      requirePermission(actor, 'system.ingress.manage');
      const rows = await concierge().list(before(page));
      return pageOf(
        rows,
        limitOf(page),
        ({ id }) => id,
        (row): OwnDocument => row,
      );
    },
    async getConversation(actor, id) {
      requirePermission(actor, 'system.ingress.manage');
      const found = await concierge().get(id);
      if (found === undefined) throw notFound('conversation', id);
      return found;
    },
    async messages(actor, id, after, limit) {
      requirePermission(actor, 'system.ingress.manage');
      return concierge().messages(id, after, limit);
    },
    say: (actor, id, text) =>
      guarded(deps, actor, act('system.ingress.manage', 'conversation.say', `conversation:${id}`), () =>
        concierge().say(id, text, actor.name),
      ),
  };
}

export function missionDocument(view: MissionView): Mission {
  return {
    id: view.id,
    kind: view.kind,
    title: view.title,
    status: view.status,
    inputs: { ...view.inputs },
    plan: view.plan.map(({ step, action, detail }) => ({ step, action, detail })),
    steps_completed: [...view.stepsCompleted],
    warnings: [...view.warnings],
    result: view.result === undefined ? null : { ...view.result },
    why: {
      summary: view.summary,
      problem: view.lastProblem === undefined ? null : problemDocument(view.lastProblem),
      attempts: view.attempts,
      next_attempt_at: null,
      advice: view.lastProblem?.advice ?? null,
    },
    asked_by: view.askedBy,
    approvals: view.approvals.map(({ by, at }) => ({ by, at: time(at) })),
    approvals_needed: view.approvalsNeeded,
    rejected_by: view.rejectedBy ?? null,
    expires_at: time(view.expiresAt),
    created_at: time(view.createdAt),
    updated_at: time(view.updatedAt),
  };
}

import type { Conversation, ConversationMessage, ProposeMission } from '../contract/index.ts';
import { type Actor, requirePermission, requireUnscoped } from './actor.ts';
import { absent, type ControlDeps, guarded, notFound } from './context.ts';
import { time } from './documents.ts';
import { isMissionKind } from './missions.ts';
import { decodeCursor, limitOf, type Page, type PageInput, pageOf } from './page.ts';
import type { ConversationMessageView, ConversationPort, ConversationView } from './ports/index.ts';

export interface ConciergeUseCases {
  start(actor: Actor): Promise<Conversation>;
  /** One's own. */
  list(actor: Actor, page: PageInput): Promise<Page<Conversation>>;
  get(actor: Actor, id: string): Promise<Conversation>;
  messages(actor: Actor, id: string, after: number, limit: number): Promise<ConversationMessage[]>;
  /** The reply. It may propose a mission in the actor's name, with the actor's permissions, and nothing more. */
  say(actor: Actor, id: string, text: string): Promise<ConversationMessage>;
}

export function createConciergeUseCases(
  deps: ControlDeps,
  propose: (actor: Actor, input: ProposeMission) => Promise<{ readonly id: string }>,
): ConciergeUseCases {
  const port = (): ConversationPort => {
    if (deps.conversations === undefined) throw absent('the concierge');
    return deps.conversations;
  };
  const look = (actor: Actor) => {
    requirePermission(actor, 'system.ingress.manage');
    requireUnscoped(actor, 'the concierge');
  };
  const own = async (actor: Actor, id: string): Promise<ConversationView> => {
    const view = await port().get(id);
    // Somebody else's conversation is not told apart from none.
    if (view === undefined || view.askedBy !== actor.name) throw notFound('conversation', id);
    return view;
  };
  const act = (action: string, id: string) =>
    ({ permission: 'system.ingress.manage', action, resource: `conversation:${id.slice(0, 100)}` }) as const;
  return {
    start: (actor) =>
      guarded(deps, actor, act('conversation.start', ''), async () => {
        requireUnscoped(actor, 'the concierge');
        return conversationDocument(await port().start(actor.name));
      }),
    async list(actor, page) {
      look(actor);
      const limit = limitOf(page);
      const before = decodeCursor(page.cursor, 'string');
      const views = await port().list(actor.name, { limit: limit + 1, ...(before !== undefined && { before }) });
      return pageOf(views, limit, ({ id }) => id, conversationDocument);
    },
    async get(actor, id) {
      look(actor);
      return conversationDocument(await own(actor, id));
    },
    async messages(actor, id, after, limit) {
      look(actor);
      await own(actor, id);
      return (await port().messages(id, after, limit)).map(messageDocument);
    },
    say: (actor, id, text) =>
      guarded(deps, actor, act('conversation.say', id), async () => {
        requireUnscoped(actor, 'the concierge');
        await own(actor, id);
        const reply = await port().say(id, text, actor.name, async (kind, inputs) => {
          if (!isMissionKind(kind)) throw notFound('kind of mission', kind);
          return propose(actor, { kind, inputs: { ...inputs } });
        });
        return messageDocument(reply);
      }),
  };
}

const conversationDocument = (view: ConversationView): Conversation => ({
  id: view.id,
  asked_by: view.askedBy,
  mission_id: view.missionId ?? null,
  understood: { ...view.understood },
  created_at: time(view.createdAt),
  updated_at: time(view.updatedAt),
});

const messageDocument = (view: ConversationMessageView): ConversationMessage => ({
  id: String(view.seq),
  seq: view.seq,
  at: time(view.at),
  author: view.author,
  by: view.by,
  text: view.text,
  asks: view.asks ?? null,
  choices: view.choices.map((choice) => ({ ...choice })),
  mission_id: view.missionId ?? null,
});

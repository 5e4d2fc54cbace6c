import { type Clock, Fault, faultOf, newId } from '../../base/index.ts';
import {
  appendMessage,
  type ConversationRow,
  conversationById,
  insertConversation,
  listConversations,
  type MessageRow,
  messagesOf,
  updateConversation,
} from '../../store/conversations.ts';
import type { Store } from '../../store/index.ts';
import type { Known } from './known.ts';
import type { BriefModel } from './model.ts';
import { type Draft, type Reply, reply, replyToProblems } from './reply.ts';

export interface ConciergeDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly known: () => Promise<Known>;
  readonly model?: BriefModel;
}

export interface ConversationView {
  readonly id: string;
  readonly askedBy: string;
  readonly missionId?: string;
  readonly understood: Readonly<Record<string, unknown>>;
  readonly createdAt: number;
  readonly updatedAt: number;
}

export interface MessageView {
  readonly seq: number;
  readonly at: number;
  readonly author: 'person' | 'concierge';
  readonly by: string;
  readonly text: string;
  readonly asks?: string;
  readonly choices: readonly { readonly value: string; readonly label: string }[];
  readonly missionId?: string;
}

type Propose = (kind: string, inputs: Readonly<Record<string, unknown>>) => Promise<{ readonly id: string }>;

/** Conversations in which a brief becomes a proposed mission. It has no way to approve or to run one. */
export interface Concierge {
  start(askedBy: string): Promise<ConversationView>;
  list(askedBy: string, page: { before?: string; limit: number }): Promise<ConversationView[]>;
  get(id: string): Promise<ConversationView | undefined>;
  messages(id: string, after: number, limit: number): Promise<MessageView[]>;
  say(id: string, text: string, by: string, propose: Propose): Promise<MessageView>;
}

const BY = 'concierge';

export function createConcierge(deps: ConciergeDeps): Concierge {
  const { store, clock } = deps;
  return {
    async start(askedBy) {
      const now = clock.now();
      const row: ConversationRow = {
        id: newId('cnv', now),
        asked_by: askedBy,
        draft: JSON.stringify({ fields: {} } satisfies Draft),
        mission_id: null,
        created_at: now,
        updated_at: now,
      };
      await store.write((tx) => insertConversation(tx, row));
      return view(row);
    },
    async list(askedBy, page) {
      return (await listConversations(store.db, { askedBy }, page)).map(view);
    },
    async get(id) {
      const row = await conversationById(store.db, id);
      return row && view(row);
    },
    async messages(id, after, limit) {
      return (await messagesOf(store.db, id, after, limit)).map(messageView);
    },
    async say(id, text, by, propose) {
      const row = await conversationById(store.db, id);
      if (row === undefined) throw noSuch(id);
      const draft = JSON.parse(row.draft) as Draft;
      const known = await deps.known();
      const first = reply(draft, text, known);
      // The model is asked only where words alone did not lead to a full set of inputs.
      const hints = first.asks === undefined ? undefined : await deps.model?.read(text, known);
      const answer = hints === undefined ? first : reply(draft, text, known, hints);
      const { words, mission } = await proposeIf(answer, known, propose);
      return store.write(async (tx) => {
        const now = clock.now();
        const message = { conversation_id: id, at: now };
        await appendMessage(tx, { ...message, author: 'person', by_actor: by, text, data: '{}' });
        const data = {
          asks: words.asks,
          choices: words.choices,
          missionId: mission?.id,
        };
        const said = {
          ...message,
          author: 'concierge',
          by_actor: BY,
          text: words.text,
          data: JSON.stringify(data),
        } as const;
        const seq = await appendMessage(tx, said);
        const change = { draft: JSON.stringify(words.draft), ...(mission !== undefined && { mission_id: mission.id }) };
        await updateConversation(tx, id, change, now);
        return messageView({ seq, ...said });
      });
    },
  };
}

async function proposeIf(
  answer: Reply,
  known: Known,
  propose: Propose,
): Promise<{ words: Reply; mission?: { readonly id: string } }> {
  if (answer.proposal === undefined) return { words: answer };
  try {
    const mission = await propose(answer.proposal.kind, answer.proposal.inputs);
    const text = `${answer.text} This is the plan (${mission.id}). Nothing is done until it is approved: press Approve, or run: gatehouse missions approve ${mission.id}`;
    return { words: { ...answer, text: text.trim(), draft: { fields: {} } }, mission };
  } catch (error) {
    const { details } = faultOf(error);
    // A defect of ours, or a permission that lacks, is not something to talk about.
    if (details.party === 'us' || details.status === 403) throw error;
    return { words: replyToProblems(answer.draft, error, known) };
  }
}

const view = (row: ConversationRow): ConversationView => ({
  id: row.id,
  askedBy: row.asked_by,
  ...(row.mission_id !== null && { missionId: row.mission_id }),
  understood: (JSON.parse(row.draft) as Draft).fields,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
});

function messageView(row: MessageRow): MessageView {
  const { asks, choices, missionId } = JSON.parse(row.data) as Partial<
    Pick<MessageView, 'asks' | 'choices' | 'missionId'>
  >;
  return {
    seq: row.seq,
    at: row.at,
    author: row.author,
    by: row.by_actor,
    text: row.text,
    choices: choices ?? [],
    ...(asks !== undefined && { asks }),
    ...(missionId !== undefined && { missionId }),
  };
}

const noSuch = (id: string): Fault =>
  new Fault({
    code: 'conversation_not_found',
    detail: `there is no conversation ${id.slice(0, 100)}`,
    party: 'client',
    retry: 'never',
    status: 404,
  });

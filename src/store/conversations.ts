import type { Generated } from 'kysely';
import type { Db } from './store.ts';

export interface ConversationTables {
  /** `draft`: JSON of what the concierge has understood so far. */
  conversation: {
    id: string;
    asked_by: string;
    draft: string;
    mission_id: string | null;
    created_at: number;
    updated_at: number;
  };
  /** `data`: JSON of what goes with the words: choices to offer, a mission. */
  conversation_message: {
    seq: Generated<number>;
    conversation_id: string;
    at: number;
    author: 'person' | 'concierge';
    by_actor: string;
    text: string;
    data: string;
  };
}

export type ConversationRow = ConversationTables['conversation'];
export interface MessageRow {
  readonly seq: number;
  readonly conversation_id: string;
  readonly at: number;
  readonly author: 'person' | 'concierge';
  readonly by_actor: string;
  readonly text: string;
  readonly data: string;
}

export async function conversationById(db: Db, id: string): Promise<ConversationRow | undefined> {
  return db.selectFrom('conversation').selectAll().where('id', '=', id).executeTakeFirst();
}

export async function insertConversation(tx: Db, row: ConversationRow): Promise<void> {
  await tx.insertInto('conversation').values(row).execute();
}

export async function updateConversation(
  tx: Db,
  id: string,
  change: Partial<Pick<ConversationRow, 'draft' | 'mission_id'>>,
  now: number,
): Promise<void> {
  await tx
    .updateTable('conversation')
    .set({ ...change, updated_at: now })
    .where('id', '=', id)
    .execute();
}

/** Newest first; ids sort by creation. */
export async function listConversations(
  db: Db,
  filter: { askedBy?: string },
  page: { before?: string; limit: number },
): Promise<ConversationRow[]> {
  let query = db.selectFrom('conversation').selectAll().orderBy('id', 'desc').limit(page.limit);
  if (page.before !== undefined) query = query.where('id', '<', page.before);
  if (filter.askedBy !== undefined) query = query.where('asked_by', '=', filter.askedBy);
  return query.execute();
}

/** Answers its number. */
export async function appendMessage(tx: Db, message: Omit<MessageRow, 'seq'>): Promise<number> {
  const { seq } = await tx
    .insertInto('conversation_message')
    .values(message)
    .returning('seq')
    .executeTakeFirstOrThrow();
  return seq;
}

/** Oldest first, those after `after`. */
export async function messagesOf(db: Db, conversationId: string, after: number, limit: number): Promise<MessageRow[]> {
  return db
    .selectFrom('conversation_message')
    .selectAll()
    .where('conversation_id', '=', conversationId)
    .where('seq', '>', after)
    .orderBy('seq')
    .limit(limit)
    .execute();
}

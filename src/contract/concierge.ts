import { type Static, Type } from 'typebox';
import { Nullable, named, Strict, Time, words } from './common.ts';

export const Conversation = named(
  'Conversation',
  Type.Object({
    id: Type.String(),
    asked_by: Type.String(),
    mission_id: Nullable(Type.String({ description: 'what it proposed' })),
    understood: Type.Record(Type.String(), Type.Unknown(), { description: 'inputs that it has so far' }),
    created_at: Time,
    updated_at: Time,
  }),
);
export type Conversation = Static<typeof Conversation>;

export const ConversationMessage = named(
  'ConversationMessage',
  Type.Object({
    id: Type.String(),
    seq: Type.Integer(),
    at: Time,
    author: words(['person', 'concierge']),
    by: Type.String(),
    text: Type.String(),
    asks: Nullable(Type.String({ description: 'the input that it asks for' })),
    choices: Type.Array(Type.Object({ value: Type.String({ description: 'what to answer' }), label: Type.String() }), {
      description: 'what there is to choose from',
    }),
    mission_id: Nullable(Type.String()),
  }),
);
export type ConversationMessage = Static<typeof ConversationMessage>;

export const Say = named('Say', Type.Object({ text: Type.String({ minLength: 1, maxLength: 4000 }) }, Strict));

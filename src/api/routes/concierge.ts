import { Type } from 'typebox';
import { Conversation, ConversationMessage, PageQuery, Say } from '../../contract/index.ts';
import { type Api, answers, creates, IdPath, lists, type RouteDeps } from '../route.ts';
import { StepsQuery } from '../steps.ts';

const BASE = '/concierge/conversations';

export function conciergeRoutes(api: Api, { control }: RouteDeps): void {
  const { concierge } = control;
  const tags = ['concierge'];
  api.get(
    BASE,
    {
      schema: {
        tags,
        operationId: 'listConversations',
        summary: 'Lists your conversations, newest first',
        querystring: Type.Object(PageQuery),
        response: lists(Conversation),
      },
    },
    (request) => concierge.list(request.actor, request.query),
  );
  api.post(
    BASE,
    {
      schema: {
        tags,
        operationId: 'startConversation',
        summary: 'Starts a conversation',
        response: creates(Conversation),
      },
    },
    async (request, reply) => reply.code(201).send({ data: await concierge.start(request.actor) }),
  );
  api.get(
    `${BASE}/:id`,
    {
      schema: {
        tags,
        operationId: 'getConversation',
        summary: 'Shows a conversation',
        params: IdPath,
        response: answers(Conversation),
      },
    },
    async (request) => ({ data: await concierge.get(request.actor, request.params.id) }),
  );
  api.get(
    `${BASE}/:id/messages`,
    {
      schema: {
        tags,
        operationId: 'listConversationMessages',
        summary: 'Its messages, oldest first',
        params: IdPath,
        querystring: StepsQuery,
        response: answers(Type.Array(ConversationMessage)),
      },
    },
    async (request) => {
      const { after, limit } = request.query;
      return { data: await concierge.messages(request.actor, request.params.id, after, limit) };
    },
  );
  api.post(
    `${BASE}/:id/messages`,
    {
      schema: {
        tags,
        operationId: 'sayToConcierge',
        summary: 'Says something; answers the reply, which may propose a mission and never runs one',
        params: IdPath,
        body: Say,
        response: creates(ConversationMessage),
      },
    },
    async (request, reply) =>
      reply.code(201).send({ data: await concierge.say(request.actor, request.params.id, request.body.text) }),
  );
}

import { Type } from 'typebox';
import { OwnDocument, PageQuery, Strict } from '../../contract/index.ts';
import { type Api, answers, creates, IdPath, lists, type RouteDeps } from '../route.ts';

const BASE = '/concierge/conversations';

export function conciergeRoutes(api: Api, { control }: RouteDeps): void {
  const { missions } = control;
  const tags = ['concierge'];
  api.get(
    BASE,
    {
      schema: {
        tags,
        operationId: 'listConversations',
        summary: 'Lists conversations, newest first',
        querystring: Type.Object(PageQuery),
        response: lists(OwnDocument),
      },
    },
    (request) => missions.listConversations(request.actor, request.query),
  );
  api.post(
    BASE,
    {
      schema: {
        tags,
        operationId: 'startConversation',
        summary: 'Starts a conversation',
        response: creates(OwnDocument),
      },
    },
    async (request, reply) => reply.code(201).send({ data: await missions.startConversation(request.actor) }),
  );
  api.get(
    `${BASE}/:id`,
    {
      schema: {
        tags,
        operationId: 'getConversation',
        summary: 'Shows a conversation',
        params: IdPath,
        response: answers(OwnDocument),
      },
    },
    async (request) => ({ data: await missions.getConversation(request.actor, request.params.id) }),
  );
  api.get(
    `${BASE}/:id/messages`,
    {
      schema: {
        tags,
        operationId: 'listMessages',
        summary: 'Its messages, oldest first',
        params: IdPath,
        querystring: Type.Object({
          after: Type.Integer({ minimum: 0, default: 0 }),
          limit: Type.Integer({ minimum: 1, maximum: 500, default: 100 }),
        }),
        response: answers(Type.Array(OwnDocument)),
      },
    },
    async (request) => ({
      data: await missions.messages(request.actor, request.params.id, request.query.after, request.query.limit),
    }),
  );
  api.post(
    `${BASE}/:id/messages`,
    {
      schema: {
        tags,
        operationId: 'say',
        summary: 'Says something; the answer may carry a mission to approve',
        params: IdPath,
        body: Type.Object({ text: Type.String({ minLength: 1, maxLength: 8000 }) }, Strict),
        response: creates(OwnDocument),
      },
    },
    async (request, reply) =>
      reply.code(201).send({ data: await missions.say(request.actor, request.params.id, request.body.text) }),
  );
}

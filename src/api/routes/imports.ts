import { Type } from 'typebox';
import {
  CreatedWebhook,
  CreateWebhook,
  DomainImport,
  ImportLine,
  PageQuery,
  Webhook,
  words,
} from '../../contract/index.ts';
import { type Api, AppPath, answers, creates, IdPath, lists, nothing, type RouteDeps } from '../route.ts';

const ImportPath = Type.Object({ app: Type.String({ maxLength: 100 }), id: Type.String({ maxLength: 100 }) });
const MOST_CSV_BYTES = 4 * 1024 * 1024;

export function importRoutes(api: Api, { control }: RouteDeps): void {
  const { imports } = control;
  const tags = ['domains'];
  api.addContentTypeParser('text/csv', { parseAs: 'string', bodyLimit: MOST_CSV_BYTES }, (_request, body, done) =>
    done(null, body),
  );
  api.post(
    '/apps/:app/domain_imports',
    {
      bodyLimit: MOST_CSV_BYTES,
      schema: {
        tags,
        operationId: 'importDomains',
        summary: 'Claims up to 10,000 names from text/csv: domain, redirect_to, route',
        consumes: ['text/csv'],
        params: AppPath,
        body: Type.String({ description: 'CSV, one name a line' }),
        response: creates(DomainImport),
      },
    },
    async (request, reply) =>
      reply.code(201).send({ data: await imports.start(request.actor, request.params.app, request.body) }),
  );
  api.get(
    '/apps/:app/domain_imports/:id',
    {
      schema: {
        tags,
        operationId: 'getDomainImport',
        summary: 'How far an import is',
        params: ImportPath,
        response: answers(DomainImport),
      },
    },
    async (request) => ({ data: await imports.get(request.actor, request.params.app, request.params.id) }),
  );
  api.get(
    '/apps/:app/domain_imports/:id/lines',
    {
      schema: {
        tags,
        operationId: 'listImportLines',
        summary: 'The report: the outcome of each line',
        params: ImportPath,
        querystring: Type.Object({ ...PageQuery, outcome: Type.Optional(words(['added', 'kept', 'failed'])) }),
        response: lists(ImportLine),
      },
    },
    (request) => imports.lines(request.actor, request.params.app, request.params.id, request.query),
  );
}

export function webhookRoutes(api: Api, { control }: RouteDeps): void {
  const { webhooks } = control;
  const tags = ['webhooks'];
  api.get(
    '/webhooks',
    {
      schema: { tags, operationId: 'listWebhooks', summary: 'Lists webhooks', response: answers(Type.Array(Webhook)) },
    },
    async (request) => ({ data: await webhooks.list(request.actor) }),
  );
  api.post(
    '/webhooks',
    {
      schema: {
        tags,
        operationId: 'createWebhook',
        summary: 'Tells a URL of every change of a domain, signed',
        body: CreateWebhook,
        response: creates(CreatedWebhook),
      },
    },
    async (request, reply) => reply.code(201).send({ data: await webhooks.create(request.actor, request.body) }),
  );
  api.delete(
    '/webhooks/:id',
    { schema: { tags, operationId: 'removeWebhook', summary: 'Removes a webhook', params: IdPath, response: nothing } },
    async (request, reply) => {
      await webhooks.remove(request.actor, request.params.id);
      return reply.code(204).send(null);
    },
  );
}

import { Type } from 'typebox';
import { App, ChangeApp, CreateApp, PageQuery } from '../../contract/index.ts';
import { type Api, AppPath, answers, creates, lists, nothing, type RouteDeps } from '../route.ts';

export function appRoutes(api: Api, { control }: RouteDeps): void {
  const tags = ['apps'];
  api.get(
    '/apps',
    {
      schema: {
        tags,
        operationId: 'listApps',
        summary: 'Lists apps',
        querystring: Type.Object(PageQuery),
        response: lists(App),
      },
    },
    (request) => control.apps.list(request.actor, request.query),
  );
  api.post(
    '/apps',
    { schema: { tags, operationId: 'createApp', summary: 'Creates an app', body: CreateApp, response: creates(App) } },
    async (request, reply) => {
      const app = await control.apps.create(request.actor, request.body);
      return reply.code(201).header('location', `/api/v1/apps/${app.id}`).send({ data: app });
    },
  );
  api.get(
    '/apps/:app',
    { schema: { tags, operationId: 'getApp', summary: 'Shows an app', params: AppPath, response: answers(App) } },
    async (request) => ({ data: await control.apps.get(request.actor, request.params.app) }),
  );
  api.patch(
    '/apps/:app',
    {
      schema: {
        tags,
        operationId: 'changeApp',
        summary: 'Changes name or upstreams',
        params: AppPath,
        body: ChangeApp,
        response: answers(App),
      },
    },
    async (request) => ({ data: await control.apps.change(request.actor, request.params.app, request.body) }),
  );
  api.delete(
    '/apps/:app',
    {
      schema: {
        tags,
        operationId: 'deleteApp',
        summary: 'Deletes an app',
        params: AppPath,
        querystring: Type.Object({
          with_domains: Type.Boolean({ default: false, description: 'with its custom domains' }),
        }),
        response: nothing,
      },
    },
    async (request, reply) => {
      await control.apps.remove(request.actor, request.params.app, { withDomains: request.query.with_domains });
      return reply.code(204).send(null);
    },
  );
}

import { Type } from 'typebox';
import { Exposure, IngressRoute, PageQuery } from '../../contract/index.ts';
import { type Api, answers, IdPath, lists, nothing, other, type RouteDeps } from '../route.ts';

export function ingressRoutes(api: Api, { control }: RouteDeps): void {
  const { ingress } = control;
  const tags = ['ingress'];
  api.get(
    '/system/ingress_routes',
    {
      schema: {
        tags,
        operationId: 'listIngressRoutes',
        summary: 'Lists what is published; read-only, derived from what is wanted',
        querystring: Type.Object({ ...PageQuery, prefix: Type.Optional(Type.String({ maxLength: 253 })) }),
        response: lists(IngressRoute),
      },
    },
    (request) => ingress.list(request.actor, request.query),
  );
  api.get(
    '/system/ingress_routes/:id',
    {
      schema: {
        tags,
        operationId: 'getIngressRoute',
        summary: 'Shows a route',
        params: IdPath,
        response: answers(IngressRoute),
      },
    },
    async (request) => ({ data: await ingress.get(request.actor, request.params.id) }),
  );
  api.get(
    '/system/exposures',
    {
      schema: {
        tags,
        operationId: 'listExposures',
        summary: 'Lists services that were made public, and those that are half there',
        querystring: Type.Object(PageQuery),
        response: lists(Exposure),
      },
    },
    (request) => ingress.exposures(request.actor, request.query),
  );
  api.get(
    '/system/exposures/:id',
    {
      schema: {
        tags,
        operationId: 'getExposure',
        summary: 'Shows one by its id, or all of a host name',
        params: IdPath,
        response: answers(Type.Array(Exposure)),
      },
    },
    async (request) => ({ data: await ingress.exposure(request.actor, request.params.id) }),
  );
  api.post(
    '/system/ingress_routes/compose',
    {
      schema: {
        tags,
        operationId: 'composeIngress',
        summary: 'Publishes again, everything or what one certificate needs',
        querystring: Type.Object({ certificate_id: Type.Optional(Type.String({ maxLength: 100 })) }),
        response: nothing,
      },
    },
    async (request, reply) => {
      await ingress.compose(request.actor, request.query.certificate_id);
      return reply.code(204).send(null);
    },
  );
  api.get(
    '/publish/traefik',
    {
      schema: {
        tags,
        operationId: 'getTraefikDocument',
        summary: "Traefik's HTTP-provider document",
        response: other('application/json', 'dynamic configuration'),
      },
    },
    async (request, reply) => {
      const { body, etag } = await ingress.traefik(request.actor);
      reply.header('etag', etag).header('cache-control', 'private, no-cache');
      if (request.headers['if-none-match'] === etag) return reply.code(304 as 200).send();
      return reply.type('application/json').send(body);
    },
  );
}

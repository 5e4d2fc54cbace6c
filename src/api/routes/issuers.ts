import { Type } from 'typebox';
import { Issuer, PutIssuer, Quota } from '../../contract/index.ts';
import { type Api, answers, creates, IdPath, nothing, type RouteDeps } from '../route.ts';

export function issuerRoutes(api: Api, { control }: RouteDeps): void {
  const tags = ['issuers'];
  api.get(
    '/system/issuers',
    {
      schema: {
        tags,
        operationId: 'listIssuers',
        summary: 'Lists issuers with what is left of their limits',
        response: answers(Type.Array(Issuer)),
      },
    },
    async (request) => ({ data: await control.issuers.list(request.actor) }),
  );
  api.post(
    '/system/issuers',
    {
      schema: {
        tags,
        operationId: 'putIssuer',
        summary: 'Adds or changes an issuer; the same directory without an id is the same issuer',
        body: PutIssuer,
        response: creates(Issuer),
      },
    },
    async (request, reply) => reply.code(201).send({ data: await control.issuers.put(request.actor, request.body) }),
  );
  api.get(
    '/system/issuers/:id',
    {
      schema: { tags, operationId: 'getIssuer', summary: 'Shows an issuer', params: IdPath, response: answers(Issuer) },
    },
    async (request) => ({ data: await control.issuers.get(request.actor, request.params.id) }),
  );
  api.delete(
    '/system/issuers/:id',
    { schema: { tags, operationId: 'removeIssuer', summary: 'Removes an issuer', params: IdPath, response: nothing } },
    async (request, reply) => {
      await control.issuers.remove(request.actor, request.params.id);
      return reply.code(204).send(null);
    },
  );
  api.get(
    '/system/issuers/:id/quota',
    {
      schema: {
        tags,
        operationId: 'getIssuerQuota',
        summary: 'What is left of its limits for names',
        params: IdPath,
        querystring: Type.Object({
          names: Type.String({ minLength: 1, maxLength: 10_000, description: 'with commas between them' }),
        }),
        response: answers(Type.Array(Quota)),
      },
    },
    async ({ actor, params, query }) => ({
      data: await control.issuers.quota(actor, params.id, query.names.split(',')),
    }),
  );
  api.post(
    '/system/issuers/:id/roll_over_key',
    {
      schema: {
        tags,
        operationId: 'rollOverIssuerKey',
        summary: 'Changes the key of our account there (RFC 8555, section 7.3.5)',
        params: IdPath,
        response: answers(Issuer),
      },
    },
    async ({ actor, params }) => ({ data: await control.issuers.rollOverKey(actor, params.id) }),
  );
}

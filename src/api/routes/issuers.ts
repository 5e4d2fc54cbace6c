import { Type } from 'typebox';
import { Issuer, PutIssuer } from '../../contract/index.ts';
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
}

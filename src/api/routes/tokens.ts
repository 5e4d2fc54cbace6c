import { Type } from 'typebox';
import { CreatedToken, CreateToken, Nullable, PageQuery, Token } from '../../contract/index.ts';
import { type Api, answers, creates, IdPath, lists, nothing, type RouteDeps } from '../route.ts';

const Self = Type.Object({
  name: Type.String({ description: 'as the audit log has it' }),
  display_name: Type.String(),
  permissions: Type.Array(Type.String()),
  apps: Nullable(Type.Array(Type.String())),
});

export function tokenRoutes(api: Api, { control }: RouteDeps): void {
  const tags = ['tokens'];
  api.get(
    '/tokens',
    {
      schema: {
        tags,
        operationId: 'listTokens',
        summary: 'Lists tokens, newest first',
        querystring: Type.Object(PageQuery),
        response: lists(Token),
      },
    },
    (request) => control.tokens.list(request.actor, request.query),
  );
  api.post(
    '/tokens',
    {
      schema: {
        tags,
        operationId: 'createToken',
        summary: 'Makes a token; it is shown in this answer only',
        body: CreateToken,
        response: creates(CreatedToken),
      },
    },
    async (request, reply) =>
      reply
        .code(201)
        .header('cache-control', 'no-store')
        .send({ data: await control.tokens.create(request.actor, request.body) }),
  );
  api.delete(
    '/tokens/:id',
    {
      schema: {
        tags,
        operationId: 'revokeToken',
        summary: 'Revokes a token and ends its sessions',
        params: IdPath,
        response: nothing,
      },
    },
    async (request, reply) => {
      await control.tokens.revoke(request.actor, request.params.id);
      return reply.code(204).send(null);
    },
  );
  api.get(
    '/whoami',
    {
      schema: { tags, operationId: 'whoAmI', summary: 'Who the token or session stands for', response: answers(Self) },
    },
    async (request) => ({ data: await control.tokens.whoami(request.actor) }),
  );
}

import type { FastifyInstance } from 'fastify';
import { authenticate } from '../api/index.ts';
import { Fault } from '../base/index.ts';
import { handleMcp, type McpDeps } from '../mcp/index.ts';

/** MCP's streamable HTTP on the API's server: the same tokens, the same known hosts. Browsers' sessions do not count. */
export function serveMcp(server: FastifyInstance, deps: McpDeps): void {
  server.route({
    method: ['GET', 'POST', 'DELETE'],
    url: '/mcp',
    schema: { hide: true },
    async handler(request, reply) {
      if (request.headers.authorization === undefined)
        throw new Fault({
          code: 'unauthorized',
          detail: 'a token is needed',
          party: 'client',
          retry: 'never',
          status: 401,
          advice: 'send "Authorization: Bearer <token>" with every request',
        });
      const actor = await authenticate(request, deps.control);
      reply.hijack();
      await handleMcp(deps, actor, request.raw, reply.raw, request.body);
    },
  });
}

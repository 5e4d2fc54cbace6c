import type { IncomingMessage, ServerResponse } from 'node:http';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import type { Actor } from '../control/index.ts';
import { createMcpServer, type McpDeps } from './server.ts';

/**
 * Answers one request of MCP's streamable HTTP. Nothing is remembered between requests, so that any replica may answer
 * any of them, and a token that was revoked is refused at the next.
 */
export async function handleMcp(
  deps: McpDeps,
  actor: Actor,
  request: IncomingMessage,
  response: ServerResponse,
  body: unknown,
): Promise<void> {
  const server = createMcpServer(deps, actor);
  const transport = new StreamableHTTPServerTransport({ enableJsonResponse: true });
  response.once('close', () => {
    Promise.all([transport.close(), server.close()]).catch((error: unknown) =>
      deps.log.warn({ err: error }, 'an MCP request did not end well'),
    );
  });
  await server.connect(transport as Parameters<typeof server.connect>[0]);
  await transport.handleRequest(request, response, body);
}

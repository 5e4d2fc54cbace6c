import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { StdioServerTransport } from '@modelcontextprotocol/sdk/server/stdio.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { isJSONRPCRequest, type JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js';
import { errorText } from '../base/index.ts';
import { findConnection } from '../cli/index.ts';
import { readArguments } from './arguments.ts';

const HELP = `Usage: gatehouse mcp [--api-url URL] [--data-dir DIR]

Speaks the Model Context Protocol on standard input and output, for a client on this machine, and passes everything to
the MCP endpoint of a running Gatehouse. Its token comes from GATEHOUSE_TOKEN, or from the data directory.
`;

// JSON-RPC 2.0 §5.1: reserved for errors of an implementation.
const SERVER_ERROR = -32_000;

export async function run(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const read = readArguments('mcp', HELP, argv, { 'api-url': { type: 'string' }, 'data-dir': { type: 'string' } });
  if (read === undefined) return 0;
  const { values } = read;
  const { api, token } = findConnection({ apiUrl: values['api-url'], dataDir: values['data-dir'] }, env);
  const near = new StdioServerTransport();
  const far = new StreamableHTTPClientTransport(new URL(`${api}/mcp`), {
    requestInit: { headers: { authorization: `Bearer ${token}` } },
  }) as Transport;
  const ended = new Promise<void>((resolve) => {
    near.onclose = resolve;
    process.stdin.once('end', resolve);
  });
  const complain = (error: unknown) => process.stderr.write(`gatehouse mcp: ${errorText(error)}\n`);
  near.onmessage = (message) => {
    far.send(message).catch((error: unknown) => {
      complain(error);
      // Somebody waits for an answer to a request, and it has to be one.
      const answer = refusal(message, errorText(error));
      if (answer !== undefined) near.send(answer).catch(complain);
    });
  };
  far.onmessage = (message) => void near.send(message).catch(complain);
  near.onerror = complain;
  await far.start();
  await near.start();
  await ended;
  await far.close();
  return 0;
}

const refusal = (message: JSONRPCMessage, text: string): JSONRPCMessage | undefined =>
  isJSONRPCRequest(message)
    ? { jsonrpc: '2.0', id: message.id, error: { code: SERVER_ERROR, message: text } }
    : undefined;

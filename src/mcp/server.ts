import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import {
  CallToolRequestSchema,
  type CallToolResult,
  ErrorCode,
  ListResourcesRequestSchema,
  ListResourceTemplatesRequestSchema,
  ListToolsRequestSchema,
  McpError,
  ReadResourceRequestSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { Fault, type FaultDetails, faultOf, type Logger } from '../base/index.ts';
import { type Actor, type Control, requirePermission } from '../control/index.ts';
import { RESOURCE_TEMPLATES, RESOURCES } from './resources.ts';
import { FLOOR, type Tool } from './tool.ts';
import { TOOLS } from './tools/index.ts';

export interface McpDeps {
  readonly control: Control;
  readonly log: Logger;
  readonly version: string;
}

const INSTRUCTIONS =
  'Gatehouse publishes services with TLS. Tools that would expose or withdraw something answer a mission that a person ' +
  'has to approve; no tool can approve one. Try letsencrypt-staging before letsencrypt-prod.';

/** An MCP server that speaks for one actor. */
export function createMcpServer({ control, log, version }: McpDeps, actor: Actor): Server {
  const server = new Server(
    { name: 'gatehouse', version },
    { capabilities: { tools: {}, resources: {} }, instructions: INSTRUCTIONS },
  );
  server.setRequestHandler(ListToolsRequestSchema, async () => {
    requirePermission(actor, FLOOR);
    return { tools: TOOLS.map(listed) };
  });
  server.setRequestHandler(CallToolRequestSchema, async ({ params }): Promise<CallToolResult> => {
    const tool = TOOLS.find(({ name }) => name === params.name);
    if (tool === undefined)
      throw new McpError(ErrorCode.InvalidParams, `there is no tool ${params.name.slice(0, 100)}`);
    try {
      requirePermission(actor, FLOOR);
      requirePermission(actor, tool.permission);
      const input = checked(tool, params.arguments ?? {});
      return answer(await tool.run(control, actor, input));
    } catch (error) {
      const { details } = faultOf(error);
      if (details.code === 'internal') log.error({ tool: tool.name, err: error }, 'a tool failed');
      return failed(details);
    }
  });
  server.setRequestHandler(ListResourcesRequestSchema, async () => ({
    resources: RESOURCES.map(({ uri, name, description }) => ({
      uri,
      name,
      description,
      mimeType: 'application/json',
    })),
  }));
  server.setRequestHandler(ListResourceTemplatesRequestSchema, async () => ({
    resourceTemplates: RESOURCE_TEMPLATES.map(({ uriTemplate, name, description }) => ({
      uriTemplate,
      name,
      description,
      mimeType: 'application/json',
    })),
  }));
  server.setRequestHandler(ReadResourceRequestSchema, async ({ params: { uri } }) => {
    const read = readerOf(uri);
    if (read === undefined) throw new McpError(ErrorCode.InvalidParams, `there is no resource ${uri.slice(0, 200)}`);
    try {
      requirePermission(actor, FLOOR);
      const text = JSON.stringify(await read(control, actor), null, 2);
      return { contents: [{ uri, mimeType: 'application/json', text }] };
    } catch (error) {
      throw new McpError(ErrorCode.InvalidRequest, words(faultOf(error).details));
    }
  });
  return server;
}

function readerOf(uri: string): ((control: Control, actor: Actor) => Promise<unknown>) | undefined {
  const whole = RESOURCES.find((one) => one.uri === uri);
  if (whole !== undefined) return whole.read;
  const template = RESOURCE_TEMPLATES.find(({ prefix }) => uri.startsWith(prefix) && uri.length > prefix.length);
  if (template === undefined) return undefined;
  const reference = decodedPart(uri.slice(template.prefix.length));
  return (control, actor) => template.read(control, actor, reference);
}

/** As it stands where it is no good percent-encoding: nothing has such a name then. */
function decodedPart(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const listed = ({ name, title, description, permission, input, output, hints }: Tool) => ({
  name,
  title,
  description: `${description} Needs the permission ${permission}.`,
  inputSchema: plain(input),
  outputSchema: plain(output),
  annotations: { title, ...hints },
});

/** A schema as the plain JSON that it is on the wire. */
const plain = (schema: object) => JSON.parse(JSON.stringify(schema)) as { type: 'object'; [key: string]: unknown };

const validators = new Map<string, ValidateFunction>();
const ajv = new Ajv2020({ allErrors: true, strict: false, useDefaults: true });
ajv.addFormat('date-time', (text: string) => !Number.isNaN(Date.parse(text)));

function checked(tool: Tool, input: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  let validate = validators.get(tool.name);
  if (validate === undefined) {
    validate = ajv.compile(plain(tool.input));
    validators.set(tool.name, validate);
  }
  const copy = structuredClone(input);
  if (validate(copy)) return copy;
  const problems = (validate.errors ?? []).slice(0, 20).map(({ instancePath, message, params }): FaultDetails => {
    const field =
      instancePath.slice(1).replaceAll('/', '.') || String(params.missingProperty ?? params.additionalProperty ?? '');
    return {
      code: 'invalid_field',
      detail: `${field} ${message ?? 'is wrong'}`,
      party: 'client',
      retry: 'never',
      field,
    };
  });
  throw new Fault({
    code: 'invalid_input',
    detail: problems.map(({ detail }) => detail).join('; '),
    party: 'client',
    retry: 'never',
    status: 422,
    problems,
  });
}

const answer = (output: Readonly<Record<string, unknown>>): CallToolResult => ({
  content: [{ type: 'text', text: JSON.stringify(output, null, 2) }],
  structuredContent: { ...output },
});

const words = ({ code, detail, advice }: FaultDetails): string =>
  code === 'internal'
    ? 'something went wrong here; the log of the server says what'
    : `${detail}${advice === undefined ? '' : `\n${advice}`}`;

/** The problem's own words: the same as the API answers. */
function failed(details: FaultDetails): CallToolResult {
  const problems = (details.problems ?? []).map((problem) => `- ${problem.field ?? ''}: ${words(problem)}`);
  const text = problems.length > 1 ? problems.join('\n') : words(details);
  const missing = details.code === 'permission_missing' ? { missing_permission: details.field } : {};
  return { isError: true, content: [{ type: 'text', text }], _meta: { code: details.code, ...missing } };
}

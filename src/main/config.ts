import { readFileSync } from 'node:fs';
import { type Static, Type } from 'typebox';
import { Fault, parseConfig } from '../base/index.ts';
import { ALL_PERMISSIONS } from '../contract/index.ts';
import { acmeServerSettings, CaConfig } from './ca-config.ts';
import { CertificatesConfig } from './certificates-config.ts';
import { EdgeConfig } from './edge-config.ts';
import { PublishConfig } from './publish-config.ts';

const closed = { additionalProperties: false };
const port = (fallback: number, description: string) =>
  Type.Integer({ minimum: 0, maximum: 65535, default: fallback, description: `${description}; 0 takes any free port` });
const address = (description: string) => Type.String({ default: '127.0.0.1', description });

/** Every key of the file that `gatehouse up --config` reads. `gatehouse config schema` prints it. */
export const UpConfig = Type.Object(
  {
    store: Type.Object(
      {
        url: Type.Optional(
          Type.String({
            description: 'a path for SQLite (default: <data-dir>/gatehouse.db), or postgres://user@host/name',
          }),
        ),
      },
      { ...closed, default: {} },
    ),
    log: Type.Object(
      {
        level: Type.Enum(['debug', 'info', 'warn', 'error'], { default: 'info' }),
        format: Type.Enum(['auto', 'json', 'pretty'], {
          default: 'auto',
          description: 'auto: pretty on a terminal, else JSON lines',
        }),
      },
      { ...closed, default: {} },
    ),
    api: Type.Object(
      {
        address: address('where API, console and MCP listen'),
        port: port(8440, 'API, console and MCP over HTTP'),
        allowed_hosts: Type.Array(Type.String(), {
          default: [],
          description: 'host names, besides loopback ones, by which the API may be called; others get 403',
        }),
      },
      { ...closed, default: {} },
    ),
    acme_server: Type.Object(
      {
        address: address('where the ACME server listens'),
        port: port(8441, 'the ACME server over HTTPS'),
        names: Type.Array(Type.String(), {
          default: [],
          description: 'host names of the ACME server; the first is the one in its URLs (default: localhost)',
        }),
        ...acmeServerSettings,
      },
      { ...closed, default: {} },
    ),
    ca: CaConfig,
    acme: Type.Object(
      {
        default_issuer: Type.String({
          default: 'internal-ca',
          description: 'issuer of certificates whose request names none',
        }),
        contact: Type.Array(Type.String(), {
          default: [],
          description: 'contact URLs for ACME accounts: mailto:ops@example.com',
        }),
        dns_resolvers: Type.Array(Type.String(), {
          default: [],
          description:
            'recursive resolvers (host:port) for zone detection and propagation checks, instead of the system ones',
        }),
        disable_propagation_check: Type.Boolean({
          default: false,
          description: 'do not wait until authoritative servers agree',
        }),
      },
      { ...closed, default: {} },
    ),
    secrets: Type.Object(
      {
        vault_address: Type.Optional(
          Type.String({ description: 'base URL of Vault or OpenBao; absent: secrets are sealed in the store' }),
        ),
        vault_namespace: Type.Optional(Type.String({ description: 'namespace' })),
        vault_ca_file: Type.Optional(Type.String({ description: 'PEM of the roots for its HTTPS' })),
        vault_mount: Type.String({ default: 'secret', description: 'mount of a KV engine of version 2' }),
        vault_prefix: Type.String({ default: 'gatehouse', description: 'path under which everything of ours is' }),
        vault_auth: Type.Enum(['token', 'approle', 'kubernetes'], { default: 'token', description: 'how to log in' }),
        vault_auth_mount: Type.Optional(
          Type.String({ description: 'mount of the login (default: approle or kubernetes)' }),
        ),
        vault_role: Type.Optional(Type.String({ description: 'role_id of approle, or role of kubernetes' })),
        vault_credential_file: Type.Optional(
          Type.String({
            description:
              'file with the token, the secret_id, or the service account token (default for kubernetes: the one that is mounted)',
          }),
        ),
      },
      { ...closed, default: {} },
    ),
    openid: Type.Optional(
      Type.Object(
        {
          issuer: Type.String({
            description: 'issuer URL of the OpenID provider that people sign in to the console with',
          }),
          client_id: Type.String({ description: 'as it is registered there' }),
          client_secret_file: Type.Optional(
            Type.String({ description: 'file with the client secret; absent: a public client with PKCE' }),
          ),
          scopes: Type.Array(Type.String(), {
            default: ['openid', 'profile', 'email'],
            description: 'scopes to ask for; some providers give groups only for one of their own',
          }),
          groups_claim: Type.String({ default: 'groups', description: "claim with the names of a person's groups" }),
          groups: Type.Array(
            Type.Object(
              {
                group: Type.String({ description: 'as the claim has it' }),
                permissions: Type.Array(Type.Enum(['*', ...ALL_PERMISSIONS]), {
                  description: 'what its members may do; * is everything',
                }),
              },
              closed,
            ),
            { default: [], description: 'who may do what; whoever is in none of them cannot sign in' },
          ),
          title: Type.String({ default: 'Single sign-on', description: 'what the button says' }),
          public_url: Type.Optional(
            Type.String({
              description: 'where browsers reach the console, when a proxy is in front: https://gate.example.com',
            }),
          ),
        },
        closed,
      ),
    ),
    certificates: CertificatesConfig,
    edge: EdgeConfig,
    publish: PublishConfig,
    agents: Type.Object(
      {
        address: address('where agents of peers are listened for'),
        port: port(8442, 'agents of peers over mutual TLS'),
        names: Type.Array(Type.String(), {
          default: [],
          description: 'host names and addresses by which agents reach it; the first is in the command to enrol',
        }),
      },
      { ...closed, default: {} },
    ),
    missions: Type.Object(
      {
        approvals: Type.Union([Type.Literal(1), Type.Literal(2)], {
          default: 1,
          description: 'how many people must approve a mission; two are never the asker alone',
        }),
        asker_may_approve: Type.Boolean({
          default: true,
          description: 'whether whoever asked for a mission may be the only one to approve it',
        }),
        only_openid_approves: Type.Boolean({
          default: false,
          description: 'whether a token cannot approve, so that nobody approves by making one',
        }),
        expire_after_hours: Type.Integer({
          minimum: 1,
          maximum: 8760,
          default: 24,
          description: 'a proposal that nobody approved in this time is over',
        }),
      },
      { ...closed, default: {} },
    ),
    concierge: Type.Object(
      {
        model_url: Type.Optional(
          Type.String({
            pattern: '^https?://[^\\s]+$',
            description:
              'base URL of an OpenAI-compatible API (https://host/v1) whose model helps to read briefs; absent: none does',
          }),
        ),
        model: Type.String({ default: '', description: 'name of the model, as its API knows it' }),
        model_key_file: Type.Optional(
          Type.String({ description: 'file with the key of that API; read when it is needed' }),
        ),
      },
      { ...closed, default: {} },
    ),
    domains: Type.Object(
      {
        base: Type.String({ default: 'apps.localhost', description: 'apps get app-{id}.<base>' }),
        addresses: Type.Array(Type.String(), {
          default: [],
          description:
            'public addresses of the edge, which DNS of custom domains should hold; when empty, nothing waits for DNS',
        }),
        on_demand: Type.Object(
          {
            always: Type.Boolean({
              default: false,
              description: 'new domains get their certificate with the first visitor unless they say otherwise',
            }),
            wait_seconds: Type.Integer({
              minimum: 1,
              maximum: 120,
              default: 20,
              description: 'how long a handshake for a claimed name waits for its certificate',
            }),
            address_an_hour: Type.Integer({
              minimum: 1,
              default: 20,
              description: 'names that visitors of one address (IPv6: of one /64) may have certificates got for',
            }),
            app_an_hour: Type.Integer({
              minimum: 1,
              default: 200,
              description: 'names that visitors of one app may have certificates got for',
            }),
            ask: Type.Optional(
              Type.String({
                pattern: '^https?://',
                description: 'URL that is asked with ?domain= whether a name is wanted; a status of 200 says yes',
              }),
            ),
          },
          { ...closed, default: {} },
        ),
      },
      { ...closed, default: {} },
    ),
  },
  closed,
);
export type UpConfig = Static<typeof UpConfig>;

/** The configuration: the file's, then the environment's on top. Throws a `Fault` of code `invalid_config`. */
export function loadUpConfig(file: string | undefined, env: NodeJS.ProcessEnv): UpConfig {
  const config = parseConfig(UpConfig, file === undefined ? '' : readConfigFile(file), file ?? 'the defaults');
  applyEnvironment(config, env);
  // Once more, since a part that only the environment gives has its defaults still to come. JSON is YAML.
  return parseConfig(UpConfig, JSON.stringify(config), 'the configuration with its GATEHOUSE_ variables');
}

export function readConfigFile(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new Fault(
      {
        code: 'invalid_config',
        detail: `${file} cannot be read: ${(error as Error).message}`,
        party: 'operator',
        retry: 'never',
      },
      error,
    );
  }
}

interface Leaf {
  readonly type?: string;
  readonly properties?: Record<string, Leaf>;
  readonly enum?: readonly string[];
  readonly items?: Leaf;
}

/** `GATEHOUSE_EDGE_HTTPS_PORT=8443` sets `edge.https_port`: the key's path in capitals. */
function applyEnvironment(config: UpConfig, env: NodeJS.ProcessEnv): void {
  const walk = (schema: Leaf, target: Record<string, unknown>, path: readonly string[]) => {
    for (const [key, leaf] of Object.entries(schema.properties ?? {})) {
      if (leaf.properties !== undefined) {
        const inner = (target[key] ?? {}) as Record<string, unknown>;
        walk(leaf, inner, [...path, key]);
        // A part that only the environment gives comes to be with its first variable.
        if (Object.keys(inner).length > 0) target[key] = inner;
      } else {
        const name = `GATEHOUSE_${[...path, key].join('_').toUpperCase()}`;
        const text = env[name];
        if (text !== undefined) target[key] = parseVariable(name, text, leaf);
      }
    }
  };
  walk(UpConfig as unknown as Leaf, config as unknown as Record<string, unknown>, []);
}

function parseVariable(name: string, text: string, leaf: Leaf): unknown {
  const refuse = (accepted: string) =>
    new Fault({
      code: 'invalid_config',
      detail: `${name}=${text}: ${accepted}`,
      party: 'operator',
      retry: 'never',
      field: name,
      advice: 'set it to an accepted value or unset it',
    });
  if (leaf.enum !== undefined && !leaf.enum.includes(text)) throw refuse(`is not one of ${leaf.enum.join(', ')}`);
  switch (leaf.type) {
    case 'integer':
      if (!/^\d{1,9}$/.test(text)) throw refuse('is not a whole number');
      return Number(text);
    case 'number':
      if (!/^\d{1,9}(\.\d{1,9})?$/.test(text)) throw refuse('is not a number');
      return Number(text);
    case 'boolean':
      if (!/^(true|false|1|0)$/.test(text)) throw refuse('is not true or false');
      return text === 'true' || text === '1';
    case 'array':
      if (leaf.items?.type === 'object') return parseJson(text, refuse, Array.isArray, 'a JSON list of objects');
      return text
        .split(',')
        .map((part) => part.trim())
        .filter((part) => part !== '');
    case 'object':
      return parseJson(text, refuse, (value) => !Array.isArray(value), 'a JSON object');
    default:
      return text;
  }
}

/** What has parts of its own is written as the file would have it, in JSON; the schema looks at the parts afterwards. */
function parseJson(
  text: string,
  refuse: (accepted: string) => Fault,
  isRight: (value: object) => boolean,
  what: string,
): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw refuse(`is not ${what}: ${(error as Error).message}`);
  }
  if (typeof value !== 'object' || value === null || !isRight(value)) throw refuse(`is not ${what}`);
  return value;
}

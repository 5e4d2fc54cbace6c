import { type Static, Type } from 'typebox';
import { GROUPS, TLS12_SUITES } from '../tls/policy.ts';
import { LimitsConfig } from './limits-schema.ts';
import { SiteConfig } from './site-schema.ts';

const closed = { additionalProperties: false };
const Port = (description: string) =>
  Type.Integer({ minimum: 0, maximum: 65535, description: `${description}; 0 takes any free port` });
const Version = (description: string, fallback: string) =>
  Type.Enum(['1.2', '1.3'], { default: fallback, description });
const Cidrs = (description: string) =>
  Type.Array(Type.String({ pattern: '^[0-9a-fA-F:.]+(/\\d{1,3})?$', description: 'an address or CIDR block' }), {
    default: [],
    description,
  });

/** What every mode of `tls` has. */
export const tlsCommon = {
  min_version: Version('oldest TLS version', '1.2'),
  max_version: Version('newest TLS version', '1.3'),
  suites: Type.Optional(
    Type.Array(Type.Enum([...TLS12_SUITES]), { minItems: 1, description: 'TLS 1.2 suites; all of TLS 1.3 are there' }),
  ),
  groups: Type.Optional(
    Type.Array(Type.Enum([...GROUPS]), { minItems: 1, description: 'key exchange groups, the preferred one first' }),
  ),
  http2: Type.Boolean({ default: true, description: 'offer HTTP/2' }),
  default_name: Type.Optional(
    Type.String({ description: 'certificate for clients that send no server name; without it they are refused' }),
  ),
  handshake_timeout_seconds: Type.Number({
    minimum: 0.1,
    maximum: 600,
    default: 10,
    description: 'from the accept to the end',
  }),
  handshakes_per_second: Type.Optional(
    Type.Integer({ minimum: 1, description: 'handshakes that begin in a second, at most; each worker has its part' }),
  ),
  client_certificates: Type.Optional(
    Type.Object(
      {
        mode: Type.Enum(['optional', 'required'], { description: 'required: no handshake without one' }),
        ca_file: Type.String({ description: 'PEM of the authorities that client certificates are verified with' }),
      },
      closed,
    ),
  ),
};

const ManualTls = Type.Object(
  {
    mode: Type.Literal('manual', { description: 'certificates from files' }),
    certificates: Type.Array(
      Type.Object(
        {
          cert: Type.String({ description: 'PEM file of the chain, leaf first' }),
          key: Type.String({ description: 'PEM file of the private key' }),
        },
        closed,
      ),
      { minItems: 1, description: 'files, read again when they change' },
    ),
    ...tlsCommon,
  },
  closed,
);

const AcmeTls = Type.Object(
  {
    mode: Type.Literal('acme', { description: 'a certificate from an ACME server' }),
    names: Type.Optional(
      Type.Array(Type.String(), {
        minItems: 1,
        maxItems: 100,
        description: 'names on the one certificate (default: the hosts of all sites, but wildcards and passthrough)',
      }),
    ),
    directory: Type.String({
      default: 'production',
      pattern: '^(staging|production|https://.+)$',
      description: "staging or production (Let's Encrypt), or the https URL of an ACME directory",
    }),
    ca_file: Type.Optional(Type.String({ description: 'PEM of the roots that the ACME server is checked with' })),
    contact: Type.Optional(
      Type.String({ pattern: '^mailto:.+@.+$', description: 'a URL like mailto:ops@example.com' }),
    ),
    cache_dir: Type.Optional(
      Type.String({ description: 'account, keys and chains of this listener alone (default: under state_dir)' }),
    ),
    challenge: Type.Enum(['auto', 'tls-alpn-01', 'http-01'], {
      default: 'auto',
      description: 'auto: tls-alpn-01, then http-01 where there is an http_port',
    }),
    key_type: Type.Enum(['ec-p256', 'ec-p384', 'rsa-2048', 'rsa-3072', 'rsa-4096'], {
      default: 'ec-p256',
      description: 'of the certificate; a new key for each',
    }),
    profile: Type.Optional(Type.String({ description: 'certificate profile that the CA offers' })),
    eab: Type.Optional(
      Type.Object(
        {
          kid: Type.String({ description: 'key identifier' }),
          hmac_file: Type.String({ description: 'file that holds the HMAC key in base64url' }),
        },
        { ...closed, description: 'external account binding' },
      ),
    ),
    ...tlsCommon,
  },
  closed,
);

const ManagedTls = Type.Object(
  {
    mode: Type.Literal('managed', { description: 'the certificates of a `gatehouse up` elsewhere' }),
    control: Type.String({ pattern: '^https?://.+$', description: 'URL of its API' }),
    token_file: Type.String({ description: 'file with a token of it that has the permission system.ingress.manage' }),
    ca_file: Type.Optional(Type.String({ description: 'PEM of the roots that it is checked with' })),
    cache_dir: Type.Optional(
      Type.String({ description: 'its certificates, for a start while it is away (default: under state_dir)' }),
    ),
    ...tlsCommon,
  },
  closed,
);

// Told apart by `mode`, so that what is wrong is said of the one that was meant, and its defaults are filled in.
const Tls = Type.Unsafe<Static<typeof ManualTls> | Static<typeof AcmeTls> | Static<typeof ManagedTls>>({
  type: 'object',
  required: ['mode'],
  discriminator: { propertyName: 'mode' },
  oneOf: [ManualTls, AcmeTls, ManagedTls],
});

export const ListenerConfig = Type.Object(
  {
    id: Type.Optional(Type.String({ pattern: '^[a-z0-9][a-z0-9-]{0,31}$', description: 'a short word for logs' })),
    address: Type.String({ default: '0.0.0.0', description: 'numeric address to listen on' }),
    https_port: Type.Optional(Port('HTTPS')),
    http_port: Type.Optional(Port('HTTP: challenges, then redirect to https')),
    tls: Type.Optional(Tls),
    proxy_protocol_from: Cidrs('proxies before this listener, whose connections begin with a PROXY protocol header'),
  },
  closed,
);
export type ListenerConfig = Static<typeof ListenerConfig>;
export type TlsConfig = NonNullable<ListenerConfig['tls']>;
export type AcmeTlsConfig = Static<typeof AcmeTls>;
export type TlsKeys = Pick<TlsConfig, Extract<keyof TlsConfig, keyof typeof tlsCommon>>;

/** Every key of the file that `gatehouse proxy --config` reads. */
export const ProxyConfig = Type.Object(
  {
    workers: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 512, description: 'worker processes (default: one a core)' }),
    ),
    state_dir: Type.Optional(
      Type.String({
        description:
          'for ACME caches without cache_dir (default: $STATE_DIRECTORY, else ~/.local/share/gatehouse/proxy)',
      }),
    ),
    log: Type.Object(
      {
        level: Type.Enum(['debug', 'info', 'warn', 'error'], {
          default: 'info',
          description: 'lines below it are left out',
        }),
        format: Type.Enum(['auto', 'json', 'pretty'], {
          default: 'auto',
          description: 'auto: pretty on a terminal, else JSON lines',
        }),
      },
      { ...closed, default: {} },
    ),
    access_log: Type.Object(
      {
        format: Type.Enum(['off', 'json', 'combined'], { default: 'off', description: 'of a line for each request' }),
        file: Type.Optional(Type.String({ description: 'appended to, opened again on reload (default: stdout)' })),
      },
      { ...closed, default: {} },
    ),
    health: Type.Optional(
      Type.Object(
        {
          address: Type.String({ default: '127.0.0.1', description: 'where it listens' }),
          port: Port('/healthz, /readyz and /metrics over plain HTTP'),
        },
        closed,
      ),
    ),
    admin: Type.Optional(
      Type.Object(
        { socket: Type.String({ description: 'path of a unix socket, mode 0600, that speaks HTTP' }) },
        closed,
      ),
    ),
    drain_seconds: Type.Number({
      minimum: 0,
      maximum: 86_400,
      default: 30,
      description: 'time for requests to finish',
    }),
    trusted_proxies: Cidrs('proxies before us whose X-Forwarded-* and Forwarded are believed'),
    request_id_header: Type.String({ default: 'x-request-id', description: 'empty for none' }),
    protocol_engine: Type.Enum(['own', 'node'], {
      default: 'own',
      description: 'who reads what clients send: our parsers, or llhttp and nghttp2',
    }),
    limits: LimitsConfig,
    listeners: Type.Array(ListenerConfig, { minItems: 1, maxItems: 100 }),
    sites: Type.Array(SiteConfig, { default: [] }),
  },
  closed,
);
export type ProxyConfig = Static<typeof ProxyConfig>;

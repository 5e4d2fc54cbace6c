import { type Static, Type } from 'typebox';

const closed = { additionalProperties: false };
const Seconds = (description: string) =>
  Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 86_400, description }));
const Statuses = (description: string) =>
  Type.Optional(Type.Array(Type.Integer({ minimum: 100, maximum: 599 }), { description }));
const Count = (description: string) => Type.Optional(Type.Integer({ minimum: 1, description }));
// Defaults stand in the words: filled in here, those of a path would hide what its site says.

const UPSTREAM = '^(https?|h2c)://[^/\\s]+/?$|^unix:/.+$';
const UpstreamUrl = Type.String({
  pattern: UPSTREAM,
  description: 'an upstream: http://host:port, https://host:port, h2c://host:port or unix:/path',
});

const Upstream = Type.Object(
  {
    url: UpstreamUrl,
    weight: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 1000,
        description: 'its share among the others; 0 takes it out (default: 1)',
      }),
    ),
    proxy_protocol: Type.Optional(
      Type.Enum(['v1', 'v2'], {
        description: 'begin each connection with a PROXY header; connections are not reused then',
      }),
    ),
    tls: Type.Optional(
      Type.Object(
        {
          server_name: Type.Optional(
            Type.String({ description: 'asked for and verified (default: the host of the URL)' }),
          ),
          ca_file: Type.Optional(Type.String({ description: 'PEM of the roots, instead of the system ones' })),
          insecure: Type.Optional(Type.Boolean({ description: 'no verification at all (default: false)' })),
          http2: Type.Optional(Type.Boolean({ description: 'offer HTTP/2 to it (default: true)' })),
        },
        closed,
      ),
    ),
  },
  closed,
);

const HeaderRules = Type.Object(
  {
    set: Type.Optional(
      Type.Record(Type.String(), Type.String(), { description: 'name: value; what was there is replaced' }),
    ),
    remove: Type.Optional(Type.Array(Type.String(), { description: 'names' })),
  },
  closed,
);

const Health = Type.Object(
  {
    active: Type.Optional(
      Type.Object(
        {
          path: Type.String({ pattern: '^/', description: 'asked for with GET; a path that starts with /' }),
          interval_seconds: Seconds('between two checks (default: 10)'),
          timeout_seconds: Seconds('for an answer (default: 2)'),
          healthy_after: Count('good checks in a row until it gets requests again (default: 2)'),
          unhealthy_after: Count('bad checks in a row until it gets none (default: 3)'),
          statuses: Statuses('good ones (default: 200 to 399)'),
        },
        { ...closed, description: 'each worker asks by itself' },
      ),
    ),
    passive: Type.Optional(
      Type.Object(
        {
          failures: Count('in a row until it rests (default: 3)'),
          rest_seconds: Seconds('without requests (default: 10)'),
          statuses: Statuses('answers that count as failures (default: none)'),
        },
        { ...closed, description: 'what requests show; on with these defaults without being written' },
      ),
    ),
  },
  closed,
);

/** What a site says of each of its paths. */
const service = {
  upstreams: Type.Optional(
    Type.Array(Type.Union([UpstreamUrl, Upstream]), {
      minItems: 1,
      maxItems: 100,
      description: 'URLs, or objects as below',
    }),
  ),
  redirect: Type.Optional(
    Type.Object(
      {
        to: Type.String({ pattern: '^https?://', description: 'a URL' }),
        status: Type.Optional(Type.Enum([301, 302, 303, 307, 308], { description: '(default: 308)' })),
        exact: Type.Optional(Type.Boolean({ description: 'do not append path and query (default: false)' })),
      },
      closed,
    ),
  ),
  balance: Type.Optional(
    Type.Enum(['round-robin', 'least-connections'], { description: 'which upstream is next (default: round-robin)' }),
  ),
  health: Type.Optional(Health),
  timeouts: Type.Optional(
    Type.Object(
      {
        connect_seconds: Seconds('to connect (default: limits.upstream_connect_seconds)'),
        request_seconds: Seconds('for the head of an answer (default: limits.upstream_request_seconds)'),
        idle_seconds: Seconds(
          'between two pieces of an answer, or of a tunnel (default: limits.upstream_idle_seconds)',
        ),
      },
      closed,
    ),
  ),
  limits: Type.Optional(
    Type.Object(
      {
        body_bytes: Type.Optional(
          Type.Integer({ minimum: 0, description: 'request body (default: limits.body_bytes)' }),
        ),
        concurrency: Type.Optional(
          Type.Object(
            {
              active: Type.Integer({ minimum: 1, description: 'requests at once, of each worker' }),
              queue: Type.Optional(
                Type.Integer({ minimum: 0, description: 'that may wait; more get 503 (default: 0)' }),
              ),
              wait_seconds: Seconds('in the queue, then 503 (default: 10)'),
            },
            closed,
          ),
        ),
      },
      closed,
    ),
  ),
  request: Type.Optional(
    Type.Object(
      {
        host: Type.Optional(Type.String({ description: 'client (the default), upstream, or the Host to send' })),
        strip_prefix: Type.Optional(Type.Boolean({ description: 'take the path of the entry away (default: false)' })),
        headers: Type.Optional(HeaderRules),
      },
      closed,
    ),
  ),
  response: Type.Optional(
    Type.Object(
      {
        headers: Type.Optional(HeaderRules),
        hsts: Type.Optional(
          Type.Object(
            {
              max_age_seconds: Type.Integer({ minimum: 0, description: 'max-age' }),
              include_subdomains: Type.Optional(Type.Boolean({ description: 'includeSubDomains (default: false)' })),
              preload: Type.Optional(Type.Boolean({ description: 'preload (default: false)' })),
            },
            { ...closed, description: "Strict-Transport-Security over https, instead of the upstream's" },
          ),
        ),
      },
      closed,
    ),
  ),
};

export const SiteConfig = Type.Object(
  {
    hosts: Type.Array(Type.String(), { minItems: 1, description: 'names, or *. and a name; IDN may be written as is' }),
    ...service,
    paths: Type.Optional(
      Type.Array(
        Type.Object(
          { path: Type.String({ pattern: '^/', description: 'a path prefix that starts with /' }), ...service },
          closed,
        ),
        { description: 'path prefixes with upstreams of their own; what they leave out is as in the site' },
      ),
    ),
    passthrough: Type.Optional(
      Type.Boolean({
        description: 'hand the TLS bytes to the upstream as they are, chosen by server name (default: false)',
      }),
    ),
    client_certificate: Type.Optional(
      Type.Enum(['none', 'required'], {
        description: 'required: 403 without a verified one, 421 where SNI and Host differ (default: none)',
      }),
    ),
    plain: Type.Optional(
      Type.Enum(['redirect', 'serve'], { description: 'what the plain listener answers (default: redirect)' }),
    ),
  },
  closed,
);
export type SiteConfig = Static<typeof SiteConfig>;
export type ServiceConfig = Pick<SiteConfig, keyof typeof service>;

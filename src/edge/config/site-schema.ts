import { type Static, Type } from 'typebox';

const closed = { additionalProperties: false };
const Seconds = Type.Optional(Type.Number({ exclusiveMinimum: 0, maximum: 86_400 }));
const Statuses = Type.Array(Type.Integer({ minimum: 100, maximum: 599 }));

const UPSTREAM = '^(https?|h2c)://[^/\\s]+/?$|^unix:/.+$';
const UpstreamUrl = Type.String({
  pattern: UPSTREAM,
  description: 'an upstream: http://host:port, https://host:port, h2c://host:port or unix:/path',
});

const Upstream = Type.Object(
  {
    url: UpstreamUrl,
    weight: Type.Optional(Type.Integer({ minimum: 0, maximum: 1000, description: '0 takes it out' })),
    proxy_protocol: Type.Optional(Type.Enum(['v1', 'v2'])),
    tls: Type.Optional(
      Type.Object(
        {
          server_name: Type.Optional(Type.String()),
          ca_file: Type.Optional(Type.String({ description: 'PEM of the roots, instead of the system ones' })),
          insecure: Type.Optional(Type.Boolean({ description: 'no verification at all' })),
          http2: Type.Optional(Type.Boolean()),
        },
        closed,
      ),
    ),
  },
  closed,
);

const HeaderRules = Type.Object(
  {
    set: Type.Optional(Type.Record(Type.String(), Type.String())),
    remove: Type.Optional(Type.Array(Type.String())),
  },
  closed,
);

const Health = Type.Object(
  {
    active: Type.Optional(
      Type.Object(
        {
          path: Type.String({ pattern: '^/', description: 'a path that starts with /' }),
          interval_seconds: Seconds,
          timeout_seconds: Seconds,
          healthy_after: Type.Optional(Type.Integer({ minimum: 1 })),
          unhealthy_after: Type.Optional(Type.Integer({ minimum: 1 })),
          statuses: Type.Optional(Statuses),
        },
        closed,
      ),
    ),
    passive: Type.Optional(
      Type.Object(
        {
          failures: Type.Optional(Type.Integer({ minimum: 1 })),
          rest_seconds: Seconds,
          statuses: Type.Optional(Statuses),
        },
        closed,
      ),
    ),
  },
  closed,
);

/** What a site says of each of its paths. */
const service = {
  upstreams: Type.Optional(Type.Array(Type.Union([UpstreamUrl, Upstream]), { minItems: 1, maxItems: 100 })),
  redirect: Type.Optional(
    Type.Object(
      {
        to: Type.String({ pattern: '^https?://', description: 'a URL' }),
        status: Type.Optional(Type.Enum([301, 302, 303, 307, 308])),
        exact: Type.Optional(Type.Boolean({ description: 'do not append path and query' })),
      },
      closed,
    ),
  ),
  balance: Type.Optional(Type.Enum(['round-robin', 'least-connections'])),
  health: Type.Optional(Health),
  timeouts: Type.Optional(
    Type.Object({ connect_seconds: Seconds, request_seconds: Seconds, idle_seconds: Seconds }, closed),
  ),
  limits: Type.Optional(
    Type.Object(
      {
        body_bytes: Type.Optional(Type.Integer({ minimum: 0 })),
        concurrency: Type.Optional(
          Type.Object(
            {
              active: Type.Integer({ minimum: 1 }),
              queue: Type.Optional(Type.Integer({ minimum: 0 })),
              wait_seconds: Seconds,
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
        strip_prefix: Type.Optional(Type.Boolean()),
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
              max_age_seconds: Type.Integer({ minimum: 0 }),
              include_subdomains: Type.Optional(Type.Boolean()),
              preload: Type.Optional(Type.Boolean()),
            },
            closed,
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
      Type.Boolean({ description: 'hand the TLS bytes to the upstream as they are, chosen by server name' }),
    ),
    client_certificate: Type.Optional(Type.Enum(['none', 'required'])),
    plain: Type.Optional(Type.Enum(['redirect', 'serve'], { description: 'what the plain listener answers' })),
  },
  closed,
);
export type SiteConfig = Static<typeof SiteConfig>;
export type ServiceConfig = Pick<SiteConfig, keyof typeof service>;

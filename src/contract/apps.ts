import { type Static, Type } from 'typebox';
import { named, Strict, Time } from './common.ts';

export const Upstream = named(
  'Upstream',
  Type.Object(
    {
      url: Type.String({
        minLength: 1,
        maxLength: 2000,
        description: 'http://host:port, https://host:port, h2c://host:port or unix:/path/to.sock',
      }),
      weight: Type.Optional(
        Type.Integer({ minimum: 1, maximum: 1000, description: 'share of requests; 1 by default' }),
      ),
    },
    Strict,
  ),
);

const Upstreams = Type.Array(Type.Union([Type.String({ minLength: 1, maxLength: 2000 }), Upstream]), {
  minItems: 1,
  maxItems: 64,
  description: 'URLs, or objects with url and weight',
});

export const App = named(
  'App',
  Type.Object({
    id: Type.String(),
    name: Type.String(),
    upstreams: Type.Array(Upstream),
    auto_domain: Type.Union([Type.String(), Type.Null()], {
      description: 'app-{id}.{base domain}; null when no base domain is configured',
    }),
    created_at: Time,
    updated_at: Time,
  }),
);
export type App = Static<typeof App>;

export const CreateApp = named(
  'CreateApp',
  Type.Object(
    {
      id: Type.String({
        minLength: 1,
        maxLength: 59,
        description: 'letters, digits and hyphens; part of its host name',
      }),
      name: Type.Optional(
        Type.String({ minLength: 1, maxLength: 100, description: 'what people call it; its id by default' }),
      ),
      upstreams: Upstreams,
    },
    Strict,
  ),
);
export type CreateApp = Static<typeof CreateApp>;

export const ChangeApp = named(
  'ChangeApp',
  Type.Object({ name: CreateApp.properties.name, upstreams: Type.Optional(Upstreams) }, Strict),
);
export type ChangeApp = Static<typeof ChangeApp>;

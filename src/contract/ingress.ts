import { type Static, Type } from 'typebox';
import { Certificate } from './certificates.ts';
import { Nullable, named, Time, words } from './common.ts';

export const IngressRoute = named(
  'IngressRoute',
  Type.Object({
    id: Type.String(),
    hosts: Type.Array(Type.String()),
    rule: Type.String({ description: "Traefik's host matcher, joined by OR" }),
    source: Type.String({ description: 'what it follows from: an app, an exposure' }),
    certificate: Nullable(Certificate),
    live: Type.Boolean({ description: 'a good certificate is there and every publisher has it' }),
    routers: Type.Array(
      Type.Object({ name: Type.String(), path: Type.String(), backend: Type.String(), entrypoint: Type.String() }),
    ),
    public_urls: Type.Array(Type.String()),
    delivery: Type.Array(
      Type.Object({
        publisher: Type.String(),
        state: words(['wanted', 'delivered', 'seen']),
        at: Nullable(Time),
        problem: Nullable(Type.String()),
      }),
    ),
  }),
);
export type IngressRoute = Static<typeof IngressRoute>;

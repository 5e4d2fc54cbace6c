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

export const EXPOSURE_STATUSES = ['exposing', 'exposed', 'incomplete', 'withdrawing'] as const;

export const Exposure = named(
  'Exposure',
  Type.Object({
    id: Type.String(),
    hostname: Type.String(),
    protocol: words(['http', 'https']),
    status: words(EXPOSURE_STATUSES),
    public_url: Type.String(),
    termination: words(['proxy', 'backend']),
    network_id: Type.String(),
    hub_peer_id: Type.String(),
    listen_port: Type.Integer(),
    target_peer_id: Type.String(),
    backend_port: Type.Integer(),
    virtual_ip_id: Type.String(),
    port_mapping_id: Nullable(Type.String({ description: 'none until its step is done' })),
    certificate_id: Nullable(Type.String({ description: 'none until its step is done, and for http' })),
    issuer: Nullable(Type.String()),
    mission_id: Type.String({ description: 'the mission that made or changed it last' }),
    created_at: Time,
    updated_at: Time,
  }),
);
export type Exposure = Static<typeof Exposure>;

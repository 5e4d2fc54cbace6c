import { type Static, Type } from 'typebox';
import { Nullable, named, PageQuery, Time } from './common.ts';
import { Mission } from './missions.ts';

const text = (description?: string) => Type.String(description === undefined ? {} : { description });
const Address = Nullable(Type.String());

export const Network = named(
  'Network',
  Type.Object({
    id: text(),
    name: text(),
    ipv6: Nullable(text('a /64')),
    ipv4: Nullable(text('a range')),
    topology: text('hub-and-spoke or mesh'),
    free_addresses: Type.Optional(Type.Object({ ipv6: Address, ipv4: Address })),
    created_at: Time,
    updated_at: Time,
  }),
);
export type Network = Static<typeof Network>;

export const Instance = named(
  'Instance',
  Type.Object({
    id: text(),
    name: text(),
    peers: Type.Array(Type.Object({ id: text(), network_id: text() })),
    created_at: Time,
  }),
);
export type Instance = Static<typeof Instance>;

export const Peer = named(
  'Peer',
  Type.Object({
    id: text(),
    network_id: text(),
    instance_id: Nullable(text()),
    name: text(),
    ipv6: Address,
    ipv4: Address,
    publicly_reachable: Type.Boolean({ description: 'it is a hub' }),
    public_ipv6: Address,
    public_ipv4: Address,
    proxy: Nullable(
      Type.Object(
        { https_port: Type.Integer(), http_port: Nullable(Type.Integer()) },
        { description: 'ports of the proxy that runs there' },
      ),
    ),
    endpoint: Nullable(text('host:port at which its WireGuard listens')),
    public_key: Nullable(text('WireGuard public key, reported by its agent')),
    agent: Nullable(
      Type.Object({
        enrolled_at: Time,
        certificate_expires_at: Time,
        seen_at: Nullable(Time),
        applied: Nullable(text('digest of the state that it applied')),
        report: Nullable(Type.Record(Type.String(), Type.Unknown())),
      }),
    ),
    created_at: Time,
    updated_at: Time,
  }),
);
export type Peer = Static<typeof Peer>;

export const VirtualIp = named(
  'VirtualIp',
  Type.Object({
    id: text(),
    network_id: text(),
    name: text(),
    vip_cidr: text('host CIDRs'),
    ipv6: Address,
    ipv4: Address,
    holder_peer_id: text(),
    created_at: Time,
    updated_at: Time,
  }),
);
export type VirtualIp = Static<typeof VirtualIp>;

export const PortMapping = named(
  'PortMapping',
  Type.Object({
    id: text(),
    network_id: text(),
    hub_peer_id: text(),
    listen_port: Type.Integer(),
    protocol: text('tcp or udp'),
    target_virtual_ip_id: Nullable(text()),
    target_peer_id: Nullable(text()),
    target_port: Type.Integer(),
    new_per_second: Nullable(Type.Integer({ description: 'new connections a second' })),
    most_connections: Nullable(Type.Integer({ description: 'connections at once' })),
    sources_ipv6: Type.Array(text()),
    sources_ipv4: Type.Array(text()),
    preserve_source: Type.Boolean(),
    opened: Type.Boolean({ description: 'false until a mission that opens it was approved' }),
    mission: Type.Optional(Mission),
    created_at: Time,
    updated_at: Time,
  }),
);
export type PortMapping = Static<typeof PortMapping>;

export const Enrolment = named(
  'Enrolment',
  Type.Object({
    peer_id: text(),
    token: text('for one enrolment; shown here and never again'),
    expires_at: Time,
    command: text('what to run on the peer'),
  }),
);
export type Enrolment = Static<typeof Enrolment>;

/** Loose on purpose: the engine checks every field at once and says the same words on every surface. */
const loose = (title: string, fields: Readonly<Record<string, string>>) =>
  named(
    title,
    Type.Object(
      Object.fromEntries(
        Object.entries(fields).map(([name, description]) => [name, Type.Optional(Type.Unknown({ description }))]),
      ),
      { maxProperties: 50 },
    ),
  );

export const CreateNetwork = loose('CreateNetwork', {
  name: 'a name of lower-case letters, digits, hyphens and dots',
  ipv6: 'a /64, such as fd42:1:2:3::/64',
  ipv4: 'a range, such as 10.42.0.0/24',
  topology: 'hub-and-spoke (default) or mesh',
});
export const CreateInstance = loose('CreateInstance', { name: 'a name' });
export const CreatePeer = loose('CreatePeer', {
  network_id: 'id or name',
  name: 'a name',
  instance_id: 'the instance that this peer attaches to the network',
  ipv6: 'its address in the network; there is no allocator',
  ipv4: 'its address in the network',
  publicly_reachable: 'true for a hub',
  public_ipv6: 'address at which the internet reaches it',
  public_ipv4: 'address at which the internet reaches it',
  proxy: '{https_port, http_port} of the proxy that runs there',
  endpoint: 'host:port at which its WireGuard listens',
});
export const CreateVirtualIp = loose('CreateVirtualIp', {
  network_id: 'id or name',
  name: 'a name',
  vip_cidr: 'a /128 within the network’s /64, or a /32',
  holder_peer_id: 'never without one',
});
export const CreatePortMapping = loose('CreatePortMapping', {
  network_id: 'id or name',
  hub_peer_id: 'a publicly reachable peer',
  listen_port: 'public port',
  protocol: 'tcp (default) or udp',
  target_virtual_ip_id: 'exactly one of this and target_peer_id',
  target_peer_id: 'exactly one of this and target_virtual_ip_id',
  target_port: 'port behind it',
  new_per_second: 'limit of new connections a second',
  most_connections: 'limit of connections at once',
  sources_ipv6: 'ranges that may connect; a list in one family closes the other if that has none',
  sources_ipv4: 'ranges that may connect',
  preserve_source: 'true: the target sees the client’s address, and its way back leads through the hub',
});

export const NetworkQuery = Type.Object({
  ...PageQuery,
  network: Type.Optional(Type.String({ maxLength: 253, description: 'only of this network' })),
});

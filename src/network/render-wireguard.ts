import type { PeerRow } from '../store/peers.ts';
import type { VirtualIpRow } from '../store/virtual-ips.ts';
import { BITS, contains, type Family, parseCidr } from './address.ts';
import type { NetworkFacts } from './hub-intent.ts';

/** What `wg syncconf` takes, without the private key, which never leaves the peer; and what the interface needs besides. */
export interface WireguardConfig {
  /** Addresses of the interface with the network's prefix length. */
  readonly addresses: readonly string[];
  readonly listenPort?: number;
  /** `[Peer]` sections. */
  readonly peers: string;
  /** Ranges beyond those of `addresses` that lead through the interface. */
  readonly routes: readonly string[];
}

const KEEPALIVE_SECONDS = 25;
const FAMILIES: readonly Family[] = ['ipv6', 'ipv4'];

/**
 * The WireGuard configuration of a peer: in a mesh everybody knows everybody; else a spoke knows the hubs, and a hub
 * knows all. Undefined until the peer's own agent has told a public key, and in a network where no peer has an endpoint:
 * its overlay is somebody else's. Pure, and the same bytes for the same facts.
 */
export function renderWireguard(
  peer: PeerRow,
  { network, peers, virtualIps }: NetworkFacts,
): WireguardConfig | undefined {
  if (peer.public_key === null || peers.every(({ endpoint }) => endpoint === null)) return undefined;
  const isHub = peer.publicly_reachable === 1;
  const mesh = network.topology === 'mesh';
  const others = peers
    .filter(({ id, public_key }) => id !== peer.id && public_key !== null)
    .filter((other) => mesh || isHub || other.publicly_reachable === 1)
    .sort((a, b) => (a.id < b.id ? -1 : 1));
  // With several hubs each address leads one way only (AllowedIPs are unique), so the first hub carries the network.
  const carrier = mesh || isHub ? undefined : others[0]?.id;
  const ranges = FAMILIES.flatMap((family) => network[family] ?? []);
  const beyond = (list: readonly VirtualIpRow[]) =>
    list.flatMap(hostCidrs).filter((cidr) => !ranges.some((range) => contains(parseCidr(range)!, parseCidr(cidr)!)));
  const foreign = virtualIps.filter(({ holder_peer_id }) => holder_peer_id !== peer.id);
  const sections = others.map((other) => {
    const held = virtualIps.filter(({ holder_peer_id }) => holder_peer_id === other.id);
    const allowed = other.id === carrier ? [...ranges, ...beyond(foreign)] : [other, ...held].flatMap(hostCidrs);
    return [
      '[Peer]',
      `PublicKey = ${other.public_key}`,
      `AllowedIPs = ${allowed.sort().join(', ')}`,
      ...(other.endpoint === null ? [] : [`Endpoint = ${other.endpoint}`]),
      // A spoke behind NAT is reachable only while its way out is kept open.
      ...(other.endpoint !== null && peer.endpoint === null ? [`PersistentKeepalive = ${KEEPALIVE_SECONDS}`] : []),
    ].join('\n');
  });
  const port = peer.endpoint === null ? undefined : Number(/:(\d+)$/.exec(peer.endpoint)?.[1]);
  return {
    addresses: FAMILIES.flatMap((family) =>
      peer[family] === null ? [] : `${peer[family]}/${network[family]?.split('/')[1] ?? BITS[family]}`,
    ),
    ...(port !== undefined && { listenPort: port }),
    peers: `${sections.join('\n\n')}\n`,
    routes: beyond(foreign).sort(),
  };
}

const hostCidrs = ({ ipv6, ipv4 }: { ipv6: string | null; ipv4: string | null }): string[] => [
  ...(ipv6 === null ? [] : [`${ipv6}/128`]),
  ...(ipv4 === null ? [] : [`${ipv4}/32`]),
];

import type { PeerRow } from '../store/peers.ts';
import type { NetworkFacts } from './hub-intent.ts';

/** What `wg syncconf` takes, without the private key, which never leaves the peer; and the interface's own addresses. */
export interface WireguardConfig {
  /** Addresses of the interface with the network's prefix length. */
  readonly addresses: readonly string[];
  readonly listenPort?: number;
  /** `[Peer]` sections. */
  readonly peers: string;
}

const KEEPALIVE_SECONDS = 25;

/**
 * The WireGuard configuration of a peer: in a mesh everybody knows everybody; else a spoke knows the hubs, and a hub
 * knows all. Undefined until the peer's own agent has reported a public key. Pure, and the same bytes for the same facts.
 */
export function renderWireguard(
  peer: PeerRow,
  { network, peers, virtualIps }: NetworkFacts,
): WireguardConfig | undefined {
  if (peer.public_key === null) return undefined;
  const isHub = peer.publicly_reachable === 1;
  const mesh = network.topology === 'mesh';
  const others = peers
    .filter(({ id, public_key }) => id !== peer.id && public_key !== null)
    .filter((other) => mesh || isHub || other.publicly_reachable === 1)
    .sort((a, b) => (a.id < b.id ? -1 : 1));
  // With several hubs each address leads one way only (AllowedIPs are unique), so the first hub carries the network.
  const carrier = mesh || isHub ? undefined : others[0]?.id;
  const sections = others.map((other) => {
    const held = virtualIps.filter(({ holder_peer_id }) => holder_peer_id === other.id);
    const own = [other, ...held].flatMap(({ ipv6, ipv4 }) => [
      ...(ipv6 === null ? [] : [`${ipv6}/128`]),
      ...(ipv4 === null ? [] : [`${ipv4}/32`]),
    ]);
    const ranges = other.id === carrier ? [network.ipv6, network.ipv4].flatMap((range) => range ?? []) : own;
    return [
      '[Peer]',
      `PublicKey = ${other.public_key}`,
      `AllowedIPs = ${[...ranges].sort().join(', ')}`,
      ...(other.endpoint === null ? [] : [`Endpoint = ${other.endpoint}`]),
      // A spoke behind NAT is reachable only while its way out is kept open.
      ...(other.endpoint !== null && peer.endpoint === null ? [`PersistentKeepalive = ${KEEPALIVE_SECONDS}`] : []),
    ].join('\n');
  });
  const prefix = (range: string | null) => range?.split('/')[1];
  const port = peer.endpoint === null ? undefined : Number(/:(\d+)$/.exec(peer.endpoint)?.[1]);
  return {
    addresses: [
      ...(peer.ipv6 === null ? [] : [`${peer.ipv6}/${prefix(network.ipv6)}`]),
      ...(peer.ipv4 === null ? [] : [`${peer.ipv4}/${prefix(network.ipv4)}`]),
    ],
    ...(port !== undefined && { listenPort: port }),
    peers: `${sections.join('\n\n')}\n`,
  };
}

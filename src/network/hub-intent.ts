import type { NetworkRow } from '../store/networks.ts';
import type { PeerRow } from '../store/peers.ts';
import type { PortMappingRow, VirtualIpRow } from '../store/virtual-ips.ts';

/** What a hub is to forward, with every name resolved to addresses. */
export interface HubIntent {
  /** The overlay's ranges: traffic from inside that is sent back inside needs the hub as its source. */
  readonly overlay: { readonly ipv6?: string; readonly ipv4?: string };
  /** The hub's public addresses, at which the hub's own programs are forwarded too. */
  readonly hub: { readonly ipv6?: string; readonly ipv4?: string };
  readonly mappings: readonly ResolvedMapping[];
}

export interface ResolvedMapping {
  readonly id: string;
  readonly listenPort: number;
  readonly protocol: 'tcp' | 'udp';
  /** `here`: a port of the hub itself. */
  readonly target:
    | { readonly kind: 'here'; readonly port: number }
    | { readonly kind: 'there'; readonly ipv6?: string; readonly ipv4?: string; readonly port: number };
  readonly newPerSecond?: number;
  readonly mostConnections?: number;
  readonly sources: { readonly ipv6: readonly string[]; readonly ipv4: readonly string[] };
  readonly preserveSource: boolean;
}

/** A mapping that cannot be forwarded as things are, and why. */
export interface UnresolvedMapping {
  readonly id: string;
  readonly listenPort: number;
  readonly protocol: 'tcp' | 'udp';
  readonly reason: string;
}

export interface NetworkFacts {
  readonly network: NetworkRow;
  readonly peers: readonly PeerRow[];
  readonly virtualIps: readonly VirtualIpRow[];
  readonly mappings: readonly PortMappingRow[];
}

/** Resolves a hub's mappings. What cannot be resolved is listed and never left out in silence. */
export function resolveHub(
  hub: PeerRow,
  facts: NetworkFacts,
): { intent: HubIntent; unresolved: readonly UnresolvedMapping[] } {
  const mappings: ResolvedMapping[] = [];
  const unresolved: UnresolvedMapping[] = [];
  for (const row of facts.mappings.filter((mapping) => mapping.hub_peer_id === hub.id)) {
    const target = resolveTarget(row, hub, facts);
    if (typeof target === 'string')
      unresolved.push({ id: row.id, listenPort: row.listen_port, protocol: row.protocol, reason: target });
    else mappings.push(resolvedMapping(row, target));
  }
  const { ipv6, ipv4 } = facts.network;
  const intent = {
    overlay: { ...(ipv6 !== null && { ipv6 }), ...(ipv4 !== null && { ipv4 }) },
    hub: {
      ...(hub.public_ipv6 !== null && { ipv6: hub.public_ipv6 }),
      ...(hub.public_ipv4 !== null && { ipv4: hub.public_ipv4 }),
    },
    mappings,
  };
  return { intent, unresolved };
}

function resolveTarget(row: PortMappingRow, hub: PeerRow, facts: NetworkFacts): ResolvedMapping['target'] | string {
  if (row.opened === 0) return 'it waits for approval';
  if (hub.publicly_reachable === 0) return `${hub.name} is not publicly reachable, so it is no hub`;
  const port = row.target_port;
  if (row.target_peer_id === hub.id) return { kind: 'here', port };
  const place =
    row.target_virtual_ip_id !== null
      ? facts.virtualIps.find(({ id }) => id === row.target_virtual_ip_id)
      : facts.peers.find(({ id }) => id === row.target_peer_id);
  if (place === undefined)
    return row.target_virtual_ip_id !== null
      ? `its virtual IP ${row.target_virtual_ip_id} is not in this network`
      : `its peer ${row.target_peer_id} is not in this network`;
  if ('holder_peer_id' in place && !facts.peers.some(({ id }) => id === place.holder_peer_id))
    return `the virtual IP ${place.name} has no holder`;
  const { ipv6, ipv4, name } = place;
  if (ipv6 === null && ipv4 === null) return `${name} has no address in this network`;
  return { kind: 'there', port, ...(ipv6 !== null && { ipv6 }), ...(ipv4 !== null && { ipv4 }) };
}

function resolvedMapping(row: PortMappingRow, target: ResolvedMapping['target']): ResolvedMapping {
  return {
    id: row.id,
    listenPort: row.listen_port,
    protocol: row.protocol,
    target,
    ...(row.new_per_second !== null && { newPerSecond: row.new_per_second }),
    ...(row.most_connections !== null && { mostConnections: row.most_connections }),
    sources: { ipv6: JSON.parse(row.sources_ipv6), ipv4: JSON.parse(row.sources_ipv4) },
    preserveSource: row.preserve_source === 1,
  };
}

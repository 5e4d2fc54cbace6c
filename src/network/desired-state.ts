import { sha256Hex } from '../base/index.ts';
import type { Db } from '../store/index.ts';
import { type PeerRow, peerById, peersOfNetwork } from '../store/peers.ts';
import { portMappingsOfNetwork, virtualIpsOfNetwork } from '../store/virtual-ips.ts';
import { compileNftables } from './compile-nftables.ts';
import { type NetworkFacts, resolveHub, type UnresolvedMapping } from './hub-intent.ts';
import { renderWireguard, type WireguardConfig } from './render-wireguard.ts';

/** Everything that the agent of a peer is to bring about. The same intent has the same version. */
export interface DesiredState {
  readonly version: string;
  readonly peer: {
    readonly id: string;
    readonly name: string;
    readonly ipv6: string | null;
    readonly ipv4: string | null;
  };
  /** Input of `nft -f`; absent for a peer that is no hub. */
  readonly ruleset?: string;
  readonly unresolved: readonly UnresolvedMapping[];
  /** Virtual IPs that it holds, as host CIDRs, in order. */
  readonly addresses: readonly string[];
  readonly wireguard?: WireguardConfig;
}

/** Code of the answer to the agent of a peer that was removed. */
export const PEER_GONE = 'peer_gone';

/** The table is the agent's own; it touches no other. */
export const TABLE = 'gatehouse';

export async function desiredStateOf(db: Db, peerId: string): Promise<DesiredState | undefined> {
  const peer = await peerById(db, peerId);
  if (peer === undefined) return undefined;
  const network = await db
    .selectFrom('overlay_network')
    .selectAll()
    .where('id', '=', peer.network_id)
    .executeTakeFirstOrThrow();
  const [peers, virtualIps, mappings] = [
    await peersOfNetwork(db, network.id),
    await virtualIpsOfNetwork(db, network.id),
    await portMappingsOfNetwork(db, network.id),
  ];
  return desiredState(peer, { network, peers, virtualIps, mappings });
}

/** Pure. */
export function desiredState(peer: PeerRow, facts: NetworkFacts): DesiredState {
  const { intent, unresolved } = resolveHub(peer, facts);
  const wireguard = renderWireguard(peer, facts);
  const state = {
    peer: { id: peer.id, name: peer.name, ipv6: peer.ipv6, ipv4: peer.ipv4 },
    ...(peer.publicly_reachable === 1 && { ruleset: compileNftables(intent, TABLE) }),
    unresolved,
    addresses: facts.virtualIps
      .filter(({ holder_peer_id }) => holder_peer_id === peer.id)
      .flatMap(({ ipv6, ipv4 }) => [ipv6 === null ? [] : `${ipv6}/128`, ipv4 === null ? [] : `${ipv4}/32`].flat())
      .sort(),
    ...(wireguard !== undefined && { wireguard }),
  };
  return { version: sha256Hex(JSON.stringify(state)).slice(0, 32), ...state };
}

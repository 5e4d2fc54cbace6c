import { listExposures } from '../../store/exposures.ts';
import type { Store } from '../../store/index.ts';
import { listInstances, listNetworks } from '../../store/networks.ts';
import { listPeers } from '../../store/peers.ts';
import type { Known } from './known.ts';

/** What the concierge asks of others to know what there is. */
export interface KnownPorts {
  /** A free address of each family that the network has. */
  freeAddresses(networkId: string): Promise<readonly string[]>;
  issuers(): Promise<readonly string[]>;
  credentials(): Promise<Known['credentials']>;
}

// More than a person reads through; names beyond these are still understood by their ids when the plan is made.
const MOST = 1000;

export async function gatherKnown(store: Store, ports: KnownPorts): Promise<Known> {
  const page = { limit: MOST };
  const [networks, peers, instances, exposures, issuers, credentials] = await Promise.all([
    listNetworks(store.db, page),
    listPeers(store.db, {}, page),
    listInstances(store.db, page),
    listExposures(store.db, {}, page),
    ports.issuers(),
    ports.credentials(),
  ]);
  return {
    networks: await Promise.all(
      networks.map(async ({ id, name }) => ({ id, name, free: await ports.freeAddresses(id) })),
    ),
    peers: peers.map(({ id, name, network_id, publicly_reachable }) => ({
      id,
      name,
      networkId: network_id,
      hub: publicly_reachable === 1,
    })),
    instances: instances.map(({ id, name }) => ({
      id,
      name,
      networkIds: peers.flatMap((peer) => (peer.instance_id === id ? peer.network_id : [])),
    })),
    issuers,
    credentials,
    exposed: [...new Set(exposures.map(({ hostname }) => hostname))],
  };
}

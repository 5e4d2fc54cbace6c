import type { Db } from './store.ts';

export interface VirtualIpTables {
  /** An address that fronts a service and moves with it; always held by a peer. In one family or both. */
  virtual_ip: {
    id: string;
    network_id: string;
    name: string;
    ipv6: string | null;
    ipv4: string | null;
    holder_peer_id: string;
    created_at: number;
    updated_at: number;
  };
  /** What a hub forwards. To a peer or to a virtual IP, never both; CIDR lists are JSON. */
  port_mapping: {
    id: string;
    network_id: string;
    hub_peer_id: string;
    listen_port: number;
    protocol: 'tcp' | 'udp';
    target_virtual_ip_id: string | null;
    target_peer_id: string | null;
    target_port: number;
    /** New connections a second, all clients together; null for no limit. */
    new_per_second: number | null;
    /** Connections at once; null for no limit. */
    most_connections: number | null;
    sources_ipv6: string;
    sources_ipv4: string;
    /** 1: the target sees the client's address, so its way back must lead through the hub. */
    preserve_source: number;
    /** 0 until a mission that opens it was approved; nothing is forwarded before. */
    opened: number;
    created_at: number;
    updated_at: number;
  };
}

export type VirtualIpRow = VirtualIpTables['virtual_ip'];
export type PortMappingRow = VirtualIpTables['port_mapping'];

export async function virtualIpById(db: Db, id: string): Promise<VirtualIpRow | undefined> {
  return db.selectFrom('virtual_ip').selectAll().where('id', '=', id).executeTakeFirst();
}

/** By id, or by name within a network. */
export async function findVirtualIp(db: Db, networkId: string, reference: string): Promise<VirtualIpRow | undefined> {
  return db
    .selectFrom('virtual_ip')
    .selectAll()
    .where('network_id', '=', networkId)
    .where(reference.startsWith('vip_') ? 'id' : 'name', '=', reference)
    .executeTakeFirst();
}

export async function virtualIpsOfNetwork(db: Db, networkId: string): Promise<VirtualIpRow[]> {
  return db.selectFrom('virtual_ip').selectAll().where('network_id', '=', networkId).orderBy('id').execute();
}

export async function virtualIpsOfHolder(db: Db, peerId: string): Promise<VirtualIpRow[]> {
  return db.selectFrom('virtual_ip').selectAll().where('holder_peer_id', '=', peerId).orderBy('id').execute();
}

export async function insertVirtualIp(tx: Db, row: VirtualIpRow): Promise<void> {
  await tx.insertInto('virtual_ip').values(row).execute();
}

export async function updateVirtualIp(tx: Db, id: string, change: Partial<VirtualIpRow>, now: number): Promise<void> {
  await tx
    .updateTable('virtual_ip')
    .set({ ...change, updated_at: now })
    .where('id', '=', id)
    .execute();
}

export async function deleteVirtualIp(tx: Db, id: string): Promise<void> {
  await tx.deleteFrom('virtual_ip').where('id', '=', id).execute();
}

export async function listVirtualIps(
  db: Db,
  filter: { networkId?: string },
  page: { after?: string; limit: number },
): Promise<VirtualIpRow[]> {
  let query = db.selectFrom('virtual_ip').selectAll().orderBy('id').limit(page.limit);
  if (page.after !== undefined) query = query.where('id', '>', page.after);
  if (filter.networkId !== undefined) query = query.where('network_id', '=', filter.networkId);
  return query.execute();
}

export async function portMappingById(db: Db, id: string): Promise<PortMappingRow | undefined> {
  return db.selectFrom('port_mapping').selectAll().where('id', '=', id).executeTakeFirst();
}

export async function findPortMapping(
  db: Db,
  hubPeerId: string,
  listenPort: number,
  protocol: 'tcp' | 'udp',
): Promise<PortMappingRow | undefined> {
  return db
    .selectFrom('port_mapping')
    .selectAll()
    .where('hub_peer_id', '=', hubPeerId)
    .where('listen_port', '=', listenPort)
    .where('protocol', '=', protocol)
    .executeTakeFirst();
}

export async function portMappingsOfHub(db: Db, hubPeerId: string): Promise<PortMappingRow[]> {
  return db.selectFrom('port_mapping').selectAll().where('hub_peer_id', '=', hubPeerId).orderBy('id').execute();
}

export async function portMappingsOfNetwork(db: Db, networkId: string): Promise<PortMappingRow[]> {
  return db.selectFrom('port_mapping').selectAll().where('network_id', '=', networkId).orderBy('id').execute();
}

export async function insertPortMapping(tx: Db, row: PortMappingRow): Promise<void> {
  await tx.insertInto('port_mapping').values(row).execute();
}

export async function updatePortMapping(
  tx: Db,
  id: string,
  change: Partial<PortMappingRow>,
  now: number,
): Promise<void> {
  await tx
    .updateTable('port_mapping')
    .set({ ...change, updated_at: now })
    .where('id', '=', id)
    .execute();
}

export async function deletePortMapping(tx: Db, id: string): Promise<void> {
  await tx.deleteFrom('port_mapping').where('id', '=', id).execute();
}

export async function listPortMappings(
  db: Db,
  filter: { networkId?: string; hubPeerId?: string },
  page: { after?: string; limit: number },
): Promise<PortMappingRow[]> {
  let query = db.selectFrom('port_mapping').selectAll().orderBy('id').limit(page.limit);
  if (page.after !== undefined) query = query.where('id', '>', page.after);
  if (filter.networkId !== undefined) query = query.where('network_id', '=', filter.networkId);
  if (filter.hubPeerId !== undefined) query = query.where('hub_peer_id', '=', filter.hubPeerId);
  return query.execute();
}

import type { Db } from './store.ts';

export type Topology = 'hub-and-spoke' | 'mesh';

export interface NetworkTables {
  /** An overlay. `ipv6` is a /64, `ipv4` a range; at least one is there. */
  overlay_network: {
    id: string;
    name: string;
    ipv6: string | null;
    ipv4: string | null;
    topology: Topology;
    created_at: number;
    updated_at: number;
  };
  /** A machine that services run on; it has one peer in each network that it is attached to. */
  overlay_instance: { id: string; name: string; created_at: number };
}

export type NetworkRow = NetworkTables['overlay_network'];
export type InstanceRow = NetworkTables['overlay_instance'];

/** By id or by name; names never look like ids. */
export async function findNetwork(db: Db, reference: string): Promise<NetworkRow | undefined> {
  return db
    .selectFrom('overlay_network')
    .selectAll()
    .where(reference.startsWith('net_') ? 'id' : 'name', '=', reference)
    .executeTakeFirst();
}

export async function findInstance(db: Db, reference: string): Promise<InstanceRow | undefined> {
  return db
    .selectFrom('overlay_instance')
    .selectAll()
    .where(reference.startsWith('ins_') ? 'id' : 'name', '=', reference)
    .executeTakeFirst();
}

export async function insertNetwork(tx: Db, row: NetworkRow): Promise<void> {
  await tx.insertInto('overlay_network').values(row).execute();
}

export async function insertInstance(tx: Db, row: InstanceRow): Promise<void> {
  await tx.insertInto('overlay_instance').values(row).execute();
}

export async function deleteNetwork(tx: Db, id: string): Promise<void> {
  await tx.deleteFrom('overlay_network').where('id', '=', id).execute();
}

export async function deleteInstance(tx: Db, id: string): Promise<void> {
  await tx.deleteFrom('overlay_instance').where('id', '=', id).execute();
}

/** In order of creation, those after the id `after`. */
export async function listNetworks(db: Db, page: { after?: string; limit: number }): Promise<NetworkRow[]> {
  let query = db.selectFrom('overlay_network').selectAll().orderBy('id').limit(page.limit);
  if (page.after !== undefined) query = query.where('id', '>', page.after);
  return query.execute();
}

export async function listInstances(db: Db, page: { after?: string; limit: number }): Promise<InstanceRow[]> {
  let query = db.selectFrom('overlay_instance').selectAll().orderBy('id').limit(page.limit);
  if (page.after !== undefined) query = query.where('id', '>', page.after);
  return query.execute();
}

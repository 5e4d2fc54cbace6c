import type { Db } from './store.ts';

export interface PeerTables {
  /** A member of one overlay network. A hub is a peer that is publicly reachable. */
  overlay_peer: {
    id: string;
    network_id: string;
    instance_id: string | null;
    name: string;
    /** Addresses in the overlay; at least one is there. */
    ipv6: string | null;
    ipv4: string | null;
    publicly_reachable: number;
    /** Addresses at which the internet reaches it. */
    public_ipv6: string | null;
    public_ipv4: string | null;
    /** Ports of the proxy that runs there; null where none runs. */
    proxy_https_port: number | null;
    proxy_http_port: number | null;
    /** WireGuard: `host:port` that others dial, and the public key that its agent reported. */
    endpoint: string | null;
    public_key: string | null;
    created_at: number;
    updated_at: number;
  };
  /** What the agent of a peer last said. JSON in `report`. */
  peer_agent: {
    peer_id: string;
    /** Hex SHA-256 of its certificate; a certificate that was replaced or revoked is not this one. */
    certificate: string;
    certificate_expires_at: number;
    enrolled_at: number;
    seen_at: number | null;
    /** Digest of the state that it applied. */
    applied: string | null;
    report: string | null;
  };
  /** A right to enrol, once and soon. `hash`: SHA-256 of the token in hex. */
  peer_enrolment: { hash: string; peer_id: string; created_by: string; expires_at: number; used_at: number | null };
}

export type PeerRow = PeerTables['overlay_peer'];
export type PeerAgentRow = PeerTables['peer_agent'];

export async function peerById(db: Db, id: string): Promise<PeerRow | undefined> {
  return db.selectFrom('overlay_peer').selectAll().where('id', '=', id).executeTakeFirst();
}

/** By id, or by name within a network. */
export async function findPeer(db: Db, networkId: string, reference: string): Promise<PeerRow | undefined> {
  return db
    .selectFrom('overlay_peer')
    .selectAll()
    .where('network_id', '=', networkId)
    .where(reference.startsWith('peer_') ? 'id' : 'name', '=', reference)
    .executeTakeFirst();
}

export async function peerOfInstance(db: Db, networkId: string, instanceId: string): Promise<PeerRow | undefined> {
  return db
    .selectFrom('overlay_peer')
    .selectAll()
    .where('network_id', '=', networkId)
    .where('instance_id', '=', instanceId)
    .executeTakeFirst();
}

export async function peersOfInstance(db: Db, instanceId: string): Promise<PeerRow[]> {
  return db.selectFrom('overlay_peer').selectAll().where('instance_id', '=', instanceId).orderBy('id').execute();
}

/** All of a network, in order of id. */
export async function peersOfNetwork(db: Db, networkId: string): Promise<PeerRow[]> {
  return db.selectFrom('overlay_peer').selectAll().where('network_id', '=', networkId).orderBy('id').execute();
}

export async function insertPeer(tx: Db, row: PeerRow): Promise<void> {
  await tx.insertInto('overlay_peer').values(row).execute();
}

export async function updatePeer(tx: Db, id: string, change: Partial<PeerRow>, now: number): Promise<void> {
  await tx
    .updateTable('overlay_peer')
    .set({ ...change, updated_at: now })
    .where('id', '=', id)
    .execute();
}

export async function deletePeer(tx: Db, id: string): Promise<void> {
  await tx.deleteFrom('peer_enrolment').where('peer_id', '=', id).execute();
  await tx.deleteFrom('peer_agent').where('peer_id', '=', id).execute();
  await tx.deleteFrom('overlay_peer').where('id', '=', id).execute();
}

export async function listPeers(
  db: Db,
  filter: { networkId?: string },
  page: { after?: string; limit: number },
): Promise<PeerRow[]> {
  let query = db.selectFrom('overlay_peer').selectAll().orderBy('id').limit(page.limit);
  if (page.after !== undefined) query = query.where('id', '>', page.after);
  if (filter.networkId !== undefined) query = query.where('network_id', '=', filter.networkId);
  return query.execute();
}

export async function agentOfPeer(db: Db, peerId: string): Promise<PeerAgentRow | undefined> {
  return db.selectFrom('peer_agent').selectAll().where('peer_id', '=', peerId).executeTakeFirst();
}

export async function agentsOfPeers(db: Db, peerIds: readonly string[]): Promise<PeerAgentRow[]> {
  if (peerIds.length === 0) return [];
  return db
    .selectFrom('peer_agent')
    .selectAll()
    .where('peer_id', 'in', [...peerIds])
    .execute();
}

export async function agentByCertificate(db: Db, certificate: string): Promise<PeerAgentRow | undefined> {
  return db.selectFrom('peer_agent').selectAll().where('certificate', '=', certificate).executeTakeFirst();
}

/** Adds or replaces. */
export async function putAgent(tx: Db, row: PeerAgentRow): Promise<void> {
  await tx.deleteFrom('peer_agent').where('peer_id', '=', row.peer_id).execute();
  await tx.insertInto('peer_agent').values(row).execute();
}

export async function updateAgent(tx: Db, peerId: string, change: Partial<PeerAgentRow>): Promise<void> {
  await tx.updateTable('peer_agent').set(change).where('peer_id', '=', peerId).execute();
}

export async function insertEnrolment(tx: Db, row: PeerTables['peer_enrolment']): Promise<void> {
  await tx.insertInto('peer_enrolment').values(row).execute();
}

/** Uses up the token; the peer it was for, or undefined when there is no such token, or it was used, or is too old. */
export async function useEnrolment(tx: Db, hash: string, now: number): Promise<string | undefined> {
  const row = await tx
    .updateTable('peer_enrolment')
    .set({ used_at: now })
    .where('hash', '=', hash)
    .where('used_at', 'is', null)
    .where('expires_at', '>', now)
    .returning('peer_id')
    .executeTakeFirst();
  return row?.peer_id;
}

export async function deleteExpiredEnrolments(tx: Db, before: number): Promise<void> {
  await tx.deleteFrom('peer_enrolment').where('expires_at', '<', before).execute();
}

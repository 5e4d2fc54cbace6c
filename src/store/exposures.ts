import type { Db } from './store.ts';

/** `exposing` while its mission runs; `incomplete` when that failed and what was made stays; `withdrawing` at its end. */
export type ExposureStatus = 'exposing' | 'exposed' | 'incomplete' | 'withdrawing';

export interface ExposureTables {
  /** A service made public. One row for each hostname and protocol. */
  exposure: {
    id: string;
    hostname: string;
    protocol: 'http' | 'https';
    status: ExposureStatus;
    /** Who ends TLS: the proxy, or the service itself behind it. */
    termination: 'proxy' | 'backend';
    network_id: string;
    hub_peer_id: string;
    listen_port: number;
    backend_port: number;
    target_peer_id: string;
    virtual_ip_id: string;
    port_mapping_id: string | null;
    certificate_id: string | null;
    issuer: string | null;
    mission_id: string;
    created_at: number;
    updated_at: number;
  };
}

export type ExposureRow = ExposureTables['exposure'];

export async function exposureById(db: Db, id: string): Promise<ExposureRow | undefined> {
  return db.selectFrom('exposure').selectAll().where('id', '=', id).executeTakeFirst();
}

export async function findExposure(
  db: Db,
  hostname: string,
  protocol: 'http' | 'https',
): Promise<ExposureRow | undefined> {
  return db
    .selectFrom('exposure')
    .selectAll()
    .where('hostname', '=', hostname)
    .where('protocol', '=', protocol)
    .executeTakeFirst();
}

export async function exposuresOfHost(db: Db, hostname: string): Promise<ExposureRow[]> {
  return db.selectFrom('exposure').selectAll().where('hostname', '=', hostname).orderBy('id').execute();
}

export async function exposuresOfMapping(db: Db, portMappingId: string): Promise<ExposureRow[]> {
  return db.selectFrom('exposure').selectAll().where('port_mapping_id', '=', portMappingId).orderBy('id').execute();
}

export async function exposuresOfVirtualIp(db: Db, virtualIpId: string): Promise<ExposureRow[]> {
  return db.selectFrom('exposure').selectAll().where('virtual_ip_id', '=', virtualIpId).orderBy('id').execute();
}

export async function insertExposure(tx: Db, row: ExposureRow): Promise<void> {
  await tx.insertInto('exposure').values(row).execute();
}

export async function updateExposure(tx: Db, id: string, change: Partial<ExposureRow>, now: number): Promise<void> {
  await tx
    .updateTable('exposure')
    .set({ ...change, updated_at: now })
    .where('id', '=', id)
    .execute();
}

export async function deleteExposure(tx: Db, id: string): Promise<void> {
  await tx.deleteFrom('exposure').where('id', '=', id).execute();
}

export async function listExposures(
  db: Db,
  filter: { networkId?: string; hostname?: string },
  page: { after?: string; limit: number },
): Promise<ExposureRow[]> {
  let query = db.selectFrom('exposure').selectAll().orderBy('id').limit(page.limit);
  if (page.after !== undefined) query = query.where('id', '>', page.after);
  if (filter.networkId !== undefined) query = query.where('network_id', '=', filter.networkId);
  if (filter.hostname !== undefined) query = query.where('hostname', '=', filter.hostname);
  return query.execute();
}

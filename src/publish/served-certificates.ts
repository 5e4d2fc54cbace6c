import { Fault } from '../base/index.ts';
import type { ServedCertificate } from '../picture/index.ts';
import type { SecretStore } from '../secrets/index.ts';
import type { Db } from '../store/index.ts';
import { productionWanted } from '../store/production-wanted.ts';

/** What is served of a certificate, without its key. */
export interface ServedVersion {
  readonly id: string;
  readonly version: string;
  readonly names: readonly string[];
  readonly chain: string;
  readonly keyPath: string;
  /** Hex SHA-256 of the leaf. */
  readonly fingerprint: string;
  readonly notBefore: number;
  readonly notAfter: number;
  /** From an issuer that is for trying only. */
  readonly staging: boolean;
}

export interface VersionsPage {
  readonly versions: readonly { readonly id: string; readonly version: string }[];
  /** After which id the next page begins; absent on the last. */
  readonly last?: string;
}

/**
 * The one reading of which certificates are served, and with which version. One from a staging issuer is left out where
 * another certificate is wanted for one of its names.
 */
export interface ServedCertificates {
  find(ids: readonly string[]): Promise<ServedVersion[]>;
  /** In order of id. Names and versions only: cheap enough to compare all of them at a start. */
  versions(page: { after?: string; limit: number }): Promise<VersionsPage>;
  /** Throws a `Fault` when the key is not where it should be. */
  withKey(served: ServedVersion): Promise<ServedCertificate>;
}

export function createServedCertificates(db: Db, secrets: Pick<SecretStore, 'get'>): ServedCertificates {
  return {
    async find(ids) {
      const rows = await db
        .selectFrom('certificate')
        .innerJoin('certificate_version', 'certificate_version.id', 'certificate.served_version_id')
        .select([
          'certificate.id as id',
          'certificate.names as names',
          'certificate_version.id as version',
          'certificate_version.chain as chain',
          'certificate_version.key_path as keyPath',
          'certificate_version.fingerprint as fingerprint',
          'certificate_version.not_before as notBefore',
          'certificate_version.not_after as notAfter',
          'certificate_version.staging as staging',
        ])
        .where('certificate.id', 'in', [...ids])
        .execute();
      return withoutOutshone(
        db,
        rows.map((row) => ({ ...row, names: JSON.parse(row.names) as string[], staging: row.staging === 1 })),
      );
    },
    async versions({ after, limit }) {
      let query = db
        .selectFrom('certificate')
        .innerJoin('certificate_version', 'certificate_version.id', 'certificate.served_version_id')
        .select([
          'certificate.id',
          'certificate_version.id as version',
          'certificate.names',
          'certificate_version.staging',
        ])
        .orderBy('certificate.id')
        .limit(limit);
      if (after !== undefined) query = query.where('certificate.id', '>', after);
      const rows = await query.execute();
      const page = rows.map((row) => ({
        id: row.id,
        version: row.version,
        staging: row.staging === 1,
        names: row.staging === 1 ? (JSON.parse(row.names) as string[]) : [],
      }));
      const last = rows.length < limit ? undefined : rows.at(-1)?.id;
      return { versions: await withoutOutshone(db, page), ...(last !== undefined && { last }) };
    },
    async withKey({ id, version, names, chain, keyPath, notBefore, notAfter, staging }) {
      const key = await secrets.get(keyPath);
      if (key === undefined)
        throw new Fault({
          code: 'key_missing',
          detail: `the key of certificate ${id} is not in the secret store at ${keyPath}`,
          party: 'secret-store',
          retry: 'backoff',
          advice: `restore it, or get a new one: gatehouse certificates renew ${id}`,
        });
      const times = { notBefore, notAfter, ...(staging && { staging }) };
      return { id, version, names, chain, key: Buffer.from(key).toString(), ...times };
    },
  };
}

async function withoutOutshone<T extends { id: string; names: readonly string[]; staging: boolean }>(
  db: Db,
  served: readonly T[],
): Promise<T[]> {
  const outshone = await productionWanted(
    db,
    served.filter(({ staging }) => staging),
  );
  return served.filter(({ id }) => !outshone.has(id));
}

/** Every served version, in pages. */
export async function* allServedVersions(certificates: ServedCertificates): AsyncGenerator<VersionsPage['versions']> {
  const limit = 1000;
  for (let after: string | undefined; ; ) {
    const page = await certificates.versions({ limit, ...(after !== undefined && { after }) });
    yield page.versions;
    if (page.last === undefined) return;
    after = page.last;
  }
}

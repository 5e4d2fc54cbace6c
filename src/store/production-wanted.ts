import type { CertificateRow } from './certificates.ts';
import type { Db } from './store.ts';

/** The wildcard that covers a name, if any. */
const wildcardOf = (name: string): string | undefined =>
  name.startsWith('*.') || !/^[^.]+\.[^.]/.test(name) ? undefined : `*.${name.slice(name.indexOf('.') + 1)}`;

/**
 * Certificate id -> a name of it for which another certificate is wanted that is no trial: one that was brought, or one
 * with issuers that are not for staging. One that nothing refers to any more counts as long as it is served.
 */
export async function productionWanted(
  db: Db,
  certificates: readonly { readonly id: string; readonly names: readonly string[] }[],
): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>();
  if (certificates.length === 0) return found;
  const covering = ({ names }: { readonly names: readonly string[] }) =>
    names.flatMap((name) => [name, wildcardOf(name) ?? name]);
  const issuers = await db.selectFrom('issuer').select('id').where('staging', '=', 1).execute();
  const staging = new Set(issuers.map(({ id }) => id));
  const rows = await db
    .selectFrom('certificate_name')
    .innerJoin('certificate', 'certificate.id', 'certificate_name.certificate_id')
    .select(['certificate_name.name', 'certificate.id', 'certificate.issuers'])
    .where('certificate_name.name', 'in', [...new Set(certificates.flatMap(covering))])
    .where((e) => e.or([e('unreferenced_at', 'is', null), e('served_version_id', 'is not', null)]))
    .execute();
  const isTrial = ({ issuers }: Pick<CertificateRow, 'issuers'>) => {
    const ids = JSON.parse(issuers) as string[];
    return ids.length > 0 && ids.every((id) => staging.has(id));
  };
  const wanted = rows.filter((row) => !isTrial(row));
  for (const one of certificates) {
    const names = new Set(covering(one));
    const other = wanted.find(({ id, name }) => id !== one.id && names.has(name));
    if (other !== undefined) found.set(one.id, other.name);
  }
  return found;
}

/** Ids of certificates that are served from a staging issuer and share a name with these: what is wanted beside them changes. */
export async function stagingBeside(db: Db, names: readonly string[]): Promise<string[]> {
  const wildcards = names.filter((name) => name.startsWith('*.'));
  const rows = await db
    .selectFrom('certificate_name')
    .innerJoin('certificate', 'certificate.id', 'certificate_name.certificate_id')
    .innerJoin('certificate_version', 'certificate_version.id', 'certificate.served_version_id')
    .select('certificate.id')
    .distinct()
    .where('certificate_version.staging', '=', 1)
    .where((e) =>
      e.or([
        e('certificate_name.name', 'in', [...names]),
        ...wildcards.map((name) => e('certificate_name.name', 'like', `%${name.slice(1)}`)),
      ]),
    )
    .execute();
  return rows.map(({ id }) => id);
}

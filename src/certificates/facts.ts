import { type CertificateVersionRow, untoldRevocation, versionById } from '../store/certificate-versions.ts';
import type { CertificateProblem, CertificateRow } from '../store/certificates.ts';
import type { Db } from '../store/index.ts';
import type { Facts } from './plan.ts';
import type { OrderNature } from './quota.ts';
import type { KnownRenewalInfo } from './renewal-time.ts';

/** An order under way, written before it is made, so that after a crash it is gone on with. */
export interface OpenOrder {
  readonly issuerId: string;
  readonly versionId: string;
  readonly keyPath: string;
  /** Known once the CA has taken it. */
  readonly url?: string;
  readonly replaces?: string;
  readonly nature: OrderNature;
  /** When what it takes of the quota was last counted. */
  readonly countedAt: number;
}

const parsed = <T>(json: string | null): T | undefined => (json === null ? undefined : (JSON.parse(json) as T));

export const namesOf = (row: Pick<CertificateRow, 'names'>): string[] => JSON.parse(row.names) as string[];
export const issuersOf = (row: Pick<CertificateRow, 'issuers'>): string[] => JSON.parse(row.issuers) as string[];
export const problemOfRow = (row: CertificateRow): CertificateProblem | undefined => parsed(row.problem);
/** One that an older release wrote does not say when it was counted. */
export const openOrderOf = (row: CertificateRow): OpenOrder | undefined =>
  row.open_order === null ? undefined : ({ countedAt: 0, ...JSON.parse(row.open_order) } as OpenOrder);
export const renewalInfoOf = (row: CertificateRow): KnownRenewalInfo | undefined => parsed(row.renewal_info);

export interface Loaded {
  readonly facts: Facts;
  readonly served?: CertificateVersionRow;
}

/** Reads what the plan is made from. */
export async function loadFacts(
  db: Db,
  row: CertificateRow,
  isStaging: (issuerId: string) => boolean,
): Promise<Loaded> {
  const served = row.served_version_id === null ? undefined : await versionById(db, row.served_version_id);
  const untold = await untoldRevocation(db, row.id);
  const issuers = issuersOf(row);
  const facts: Facts = {
    kind: row.kind,
    status: row.status,
    ...(served !== undefined && {
      served: {
        id: served.id,
        notBefore: served.not_before,
        notAfter: served.not_after,
        staging: served.staging === 1,
        asksRenewalInfo: served.ari_id !== null && served.issuer_id !== null,
      },
    }),
    ...(row.problem !== null && { problem: problemOfRow(row) }),
    ...(row.renew_at !== null && { renewAt: row.renew_at }),
    ...(row.renew_reason !== null && { renewReason: row.renew_reason }),
    ...(row.renewal_info !== null && { renewalInfo: renewalInfoOf(row) }),
    ...(row.wanted !== null && { wanted: row.wanted }),
    ...(row.unreferenced_at !== null && { unreferencedAt: row.unreferenced_at }),
    staging: issuers.length > 0 && issuers.every(isStaging),
    ...(untold !== undefined && { untold }),
  };
  return { facts, ...(served !== undefined && { served }) };
}

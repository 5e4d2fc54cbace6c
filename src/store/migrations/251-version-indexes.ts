import type { Step } from './index.ts';

/** Of one certificate: has this issuer issued before, and is a revocation still to be told. */
export const versionIndexes: Step = async (db) => {
  await db.schema
    .createIndex('version_by_certificate_and_issuer')
    .on('certificate_version')
    .columns(['certificate_id', 'issuer_id'])
    .execute();
  await db.schema
    .createIndex('version_untold')
    .on('certificate_version')
    .columns(['certificate_id', 'revoked_at', 'revocation_told_at'])
    .where('revoked_at', 'is not', null)
    .where('revocation_told_at', 'is', null)
    .execute();
};

import type { Step } from './index.ts';

export const certificates: Step = async (db, types) => {
  await db.schema
    .createTable('issuer')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('directory', 'text', (column) => column.notNull())
    .addColumn('ca_pem', 'text')
    .addColumn('contact', 'text', (column) => column.notNull())
    .addColumn('eab_kid', 'text')
    .addColumn('preferred_chain', 'text')
    .addColumn('profile', 'text')
    .addColumn('staging', 'integer', (column) => column.notNull())
    .addColumn('built_in', 'integer', (column) => column.notNull())
    .addColumn('limits', 'text')
    .addColumn('hold_until', types.integer)
    .addColumn('hold_problem', 'text')
    .addColumn('created_at', types.integer, (column) => column.notNull())
    .addColumn('updated_at', types.integer, (column) => column.notNull())
    .execute();
  await db.schema
    .createTable('issuer_account')
    .addColumn('issuer_id', 'text', (column) => column.primaryKey().references('issuer.id'))
    .addColumn('directory', 'text', (column) => column.notNull())
    .addColumn('url', 'text', (column) => column.notNull())
    .addColumn('key_path', 'text', (column) => column.notNull())
    .addColumn('next_key_path', 'text')
    .addColumn('thumbprint', 'text', (column) => column.notNull())
    .addColumn('contact', 'text', (column) => column.notNull())
    .addColumn('terms_url', 'text')
    .addColumn('terms_agreed_at', types.integer)
    .addColumn('created_at', types.integer, (column) => column.notNull())
    .addColumn('updated_at', types.integer, (column) => column.notNull())
    .execute();
  await db.schema
    .createTable('certificate')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('identity', 'text', (column) => column.notNull().unique())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('names', 'text', (column) => column.notNull())
    .addColumn('issuers', 'text', (column) => column.notNull())
    .addColumn('key_type', 'text', (column) => column.notNull())
    .addColumn('reuse_key', 'integer', (column) => column.notNull())
    .addColumn('challenge', 'text', (column) => column.notNull())
    .addColumn('dns_credential_id', 'text')
    .addColumn('profile', 'text')
    .addColumn('status', 'text', (column) => column.notNull())
    .addColumn('served_version_id', 'text')
    .addColumn('problem', 'text')
    .addColumn('attempts', 'integer', (column) => column.notNull())
    .addColumn('next_attempt_at', types.integer)
    .addColumn('renew_at', types.integer)
    .addColumn('renew_reason', 'text')
    .addColumn('renewal_info', 'text')
    .addColumn('open_order', 'text')
    .addColumn('wanted', 'text')
    .addColumn('asked_again', 'integer', (column) => column.notNull().defaultTo(0))
    .addColumn('unreferenced_at', types.integer)
    .addColumn('lease_holder', 'text')
    .addColumn('lease_token', types.integer, (column) => column.notNull())
    .addColumn('lease_until', types.integer, (column) => column.notNull())
    .addColumn('created_at', types.integer, (column) => column.notNull())
    .addColumn('updated_at', types.integer, (column) => column.notNull())
    .execute();
  await db.schema.createIndex('certificate_by_due').on('certificate').column('next_attempt_at').execute();
  await db.schema.createIndex('certificate_by_status').on('certificate').columns(['status', 'id']).execute();
  await db.schema
    .createTable('certificate_name')
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('certificate_id', 'text', (column) => column.notNull().references('certificate.id').onDelete('cascade'))
    .addPrimaryKeyConstraint('certificate_name_key', ['name', 'certificate_id'])
    .execute();
  await db.schema.createIndex('certificate_name_by_id').on('certificate_name').column('certificate_id').execute();
  await db.schema
    .createTable('certificate_reference')
    .addColumn('certificate_id', 'text', (column) => column.notNull().references('certificate.id').onDelete('cascade'))
    .addColumn('reference', 'text', (column) => column.notNull())
    .addColumn('created_at', types.integer, (column) => column.notNull())
    .addPrimaryKeyConstraint('certificate_reference_key', ['reference', 'certificate_id'])
    .execute();
  await db.schema
    .createIndex('certificate_reference_by_id')
    .on('certificate_reference')
    .column('certificate_id')
    .execute();
  await db.schema
    .createTable('certificate_version')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('certificate_id', 'text', (column) => column.notNull().references('certificate.id').onDelete('cascade'))
    .addColumn('issuer_id', 'text')
    .addColumn('issuer_name', 'text', (column) => column.notNull())
    .addColumn('staging', 'integer', (column) => column.notNull())
    .addColumn('chain', 'text', (column) => column.notNull())
    .addColumn('key_path', 'text', (column) => column.notNull())
    .addColumn('key_type', 'text', (column) => column.notNull())
    .addColumn('key_digest', 'text', (column) => column.notNull())
    .addColumn('serial', 'text', (column) => column.notNull())
    .addColumn('fingerprint', 'text', (column) => column.notNull())
    .addColumn('ari_id', 'text')
    .addColumn('profile', 'text')
    .addColumn('not_before', types.integer, (column) => column.notNull())
    .addColumn('not_after', types.integer, (column) => column.notNull())
    .addColumn('issued_at', types.integer, (column) => column.notNull())
    .addColumn('revoked_at', types.integer)
    .addColumn('revocation_reason', 'text')
    .addColumn('revocation_told_at', types.integer)
    .addColumn('challenge', 'text')
    .execute();
  await db.schema
    .createIndex('version_by_certificate')
    .on('certificate_version')
    .columns(['certificate_id', 'issued_at'])
    .execute();
  await db.schema
    .createIndex('version_by_issuer')
    .on('certificate_version')
    .columns(['issuer_id', 'issued_at'])
    .execute();
  await db.schema.createIndex('version_by_expiry').on('certificate_version').column('not_after').execute();
  await db.schema.createIndex('version_by_key').on('certificate_version').column('key_digest').execute();
  await db.schema
    .createTable('certificate_event')
    .addColumn('seq', types.serial, types.serialKey)
    .addColumn('certificate_id', 'text', (column) => column.notNull().references('certificate.id').onDelete('cascade'))
    .addColumn('at', types.integer, (column) => column.notNull())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('words', 'text', (column) => column.notNull())
    .addColumn('facts', 'text', (column) => column.notNull())
    .execute();
  await db.schema
    .createIndex('certificate_event_by_certificate')
    .on('certificate_event')
    .columns(['certificate_id', 'seq'])
    .execute();
  await db.schema
    .createTable('quota_bucket')
    .addColumn('issuer_id', 'text', (column) => column.notNull())
    .addColumn('limit_id', 'text', (column) => column.notNull())
    .addColumn('key', 'text', (column) => column.notNull())
    .addColumn('full_at', types.integer, (column) => column.notNull())
    .addPrimaryKeyConstraint('quota_bucket_key', ['issuer_id', 'limit_id', 'key'])
    .execute();
  await db.schema.createIndex('quota_bucket_by_key').on('quota_bucket').columns(['issuer_id', 'key']).execute();
  await db.schema.createIndex('quota_bucket_by_full').on('quota_bucket').column('full_at').execute();
};

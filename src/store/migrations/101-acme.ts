import type { Step } from './index.ts';

export const acme: Step = async (db, types) => {
  await db.schema
    .createTable('acme_profile')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('settings', 'text', (column) => column.notNull())
    .addColumn('is_default', types.integer, (column) => column.notNull())
    .addColumn('version', types.integer, (column) => column.notNull())
    .addColumn('created_at', types.integer, (column) => column.notNull())
    .addColumn('updated_at', types.integer, (column) => column.notNull())
    .execute();
  await db.schema
    .createTable('acme_account')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('profile_id', 'text', (column) => column.notNull())
    .addColumn('thumbprint', 'text', (column) => column.notNull())
    .addColumn('jwk', 'text', (column) => column.notNull())
    .addColumn('status', 'text', (column) => column.notNull())
    .addColumn('contact', 'text', (column) => column.notNull())
    .addColumn('terms_agreed_at', types.integer)
    .addColumn('eab_key_id', 'text')
    .addColumn('created_at', types.integer, (column) => column.notNull())
    .execute();
  await db.schema
    .createIndex('acme_account_key')
    .on('acme_account')
    .columns(['profile_id', 'thumbprint'])
    .unique()
    .execute();
  await db.schema
    .createTable('acme_eab_key')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('profile_id', 'text', (column) => column.notNull())
    .addColumn('settings', 'text', (column) => column.notNull())
    .addColumn('account_id', 'text')
    .addColumn('created_at', types.integer, (column) => column.notNull())
    .addColumn('expires_at', types.integer)
    .addColumn('revoked_at', types.integer)
    .addColumn('certificates', types.integer, (column) => column.notNull())
    .execute();
  await db.schema
    .createTable('acme_order')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('profile_id', 'text', (column) => column.notNull())
    .addColumn('account_id', 'text', (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('identifiers', 'text', (column) => column.notNull())
    .addColumn('authorizations', 'text')
    .addColumn('not_before', types.integer)
    .addColumn('not_after', types.integer)
    .addColumn('created_at', types.integer, (column) => column.notNull())
    .addColumn('expires_at', types.integer, (column) => column.notNull())
    .addColumn('error', 'text')
    .addColumn('certificate_serial', 'text')
    .addColumn('csr', types.binary)
    .addColumn('replaces', 'text')
    .addColumn('sub_profile', 'text')
    .execute();
  await db.schema.createIndex('acme_order_account').on('acme_order').columns(['account_id', 'id']).execute();
  await db.schema.createIndex('acme_order_expires').on('acme_order').column('expires_at').execute();
  await db.schema
    .createTable('acme_authorization')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('profile_id', 'text', (column) => column.notNull())
    .addColumn('account_id', 'text', (column) => column.notNull())
    .addColumn('identifier', 'text', (column) => column.notNull())
    .addColumn('wildcard', types.integer, (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('challenges', 'text', (column) => column.notNull())
    .addColumn('created_at', types.integer, (column) => column.notNull())
    .addColumn('expires_at', types.integer, (column) => column.notNull())
    .addColumn('processing_since', types.integer)
    .execute();
  await db.schema
    .createIndex('acme_authorization_name')
    .on('acme_authorization')
    .columns(['account_id', 'identifier', 'wildcard', 'expires_at'])
    .execute();
  await db.schema
    .createIndex('acme_authorization_processing')
    .on('acme_authorization')
    .column('processing_since')
    .where('processing_since', 'is not', null)
    .execute();
  await db.schema.createIndex('acme_authorization_expires').on('acme_authorization').column('expires_at').execute();
  await db.schema
    .createTable('acme_limit')
    .addColumn('key', 'text', (column) => column.primaryKey())
    .addColumn('spent_until', types.integer, (column) => column.notNull())
    .execute();
};

import type { Step } from './index.ts';

export const ca: Step = async (db, types) => {
  await db.schema
    .createTable('ca_authority')
    .addColumn('id', 'text', (column) => column.primaryKey())
    // One row a slot: two first starts at once agree on one hierarchy.
    .addColumn('slot', 'text', (column) => column.notNull().unique())
    .addColumn('kind', 'text', (column) => column.notNull())
    .addColumn('parent_id', 'text')
    .addColumn('certificate', types.binary, (column) => column.notNull())
    .addColumn('state', 'text', (column) => column.notNull())
    .addColumn('created_at', types.integer, (column) => column.notNull())
    .addColumn('not_after', types.integer, (column) => column.notNull())
    .execute();
  await db.schema
    .createTable('ca_certificate')
    .addColumn('serial', 'text', (column) => column.primaryKey())
    .addColumn('authority_id', 'text', (column) => column.notNull())
    .addColumn('profile_id', 'text')
    .addColumn('account_id', 'text')
    .addColumn('order_id', 'text')
    .addColumn('spki_hash', 'text', (column) => column.notNull())
    .addColumn('names', 'text', (column) => column.notNull())
    .addColumn('certificate', types.binary, (column) => column.notNull())
    .addColumn('not_before', types.integer, (column) => column.notNull())
    .addColumn('not_after', types.integer, (column) => column.notNull())
    .addColumn('revoked_at', types.integer)
    .addColumn('reason', types.integer)
    .addColumn('replaced_by', 'text')
    .execute();
  await db.schema
    .createIndex('ca_certificate_revoked')
    .on('ca_certificate')
    .columns(['authority_id', 'revoked_at'])
    .where('revoked_at', 'is not', null)
    .execute();
  await db.schema.createIndex('ca_certificate_not_after').on('ca_certificate').column('not_after').execute();
  await db.schema
    .createTable('ca_crl')
    .addColumn('authority_id', 'text', (column) => column.notNull())
    .addColumn('partition', types.integer, (column) => column.notNull())
    .addColumn('number', types.integer, (column) => column.notNull())
    .addColumn('crl', types.binary, (column) => column.notNull())
    .addColumn('this_update', types.integer, (column) => column.notNull())
    .addColumn('next_update', types.integer, (column) => column.notNull())
    .addPrimaryKeyConstraint('ca_crl_key', ['authority_id', 'partition'])
    .execute();
};

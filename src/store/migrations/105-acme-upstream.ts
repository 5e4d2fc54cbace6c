import type { Step } from './index.ts';

export const acmeUpstream: Step = async (db, types) => {
  // Orders that an upstream CA works on, one row until it has said yes or no.
  await db.schema
    .createTable('acme_upstream_order')
    .addColumn('order_id', 'text', (column) => column.primaryKey())
    .addColumn('issuer_id', 'text', (column) => column.notNull())
    .addColumn('url', 'text')
    .addColumn('attempts', types.integer, (column) => column.notNull())
    .addColumn('next_at', types.integer, (column) => column.notNull())
    .execute();
  await db.schema.createIndex('acme_upstream_order_next').on('acme_upstream_order').column('next_at').execute();
  await db.schema
    .createTable('acme_upstream_chain')
    .addColumn('serial', 'text', (column) => column.primaryKey())
    .addColumn('issuer_id', 'text', (column) => column.notNull())
    .addColumn('chain', 'text', (column) => column.notNull())
    .addColumn('not_after', types.integer, (column) => column.notNull())
    .execute();
  await db.schema.createIndex('acme_upstream_chain_end').on('acme_upstream_chain').column('not_after').execute();
};

import type { Step } from './index.ts';

export const acmeReplicas: Step = async (db, types) => {
  await db.schema
    .createTable('acme_replica')
    .addColumn('epoch', 'text', (column) => column.primaryKey())
    .addColumn('url', 'text')
    .addColumn('alive_until', types.integer, (column) => column.notNull())
    .addColumn('next_nonce', types.integer)
    .addColumn('used_nonces', types.binary)
    .execute();
  await db.schema
    .createTable('acme_nonce_claim')
    .addColumn('epoch', 'text', (column) => column.notNull())
    .addColumn('counter', types.integer, (column) => column.notNull())
    .addPrimaryKeyConstraint('acme_nonce_claim_key', ['epoch', 'counter'])
    .execute();
};

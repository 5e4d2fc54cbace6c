import type { Step } from './index.ts';

export const acmeOpenOrders: Step = async (db) => {
  // Open orders of an account are counted at each new one; finished ones, of which there are many more, are passed over.
  await db.schema
    .createIndex('acme_order_open')
    .on('acme_order')
    .columns(['account_id', 'state', 'expires_at'])
    .execute();
};

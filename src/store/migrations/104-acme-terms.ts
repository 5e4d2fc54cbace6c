import type { Step } from './index.ts';

export const acmeTerms: Step = async (db) => {
  // Which terms an account agreed to, so that changed ones can be told from them (RFC 8555 §7.3.3).
  await db.schema.alterTable('acme_account').addColumn('terms_url', 'text').execute();
  // Keys that were reported compromised are asked for at each new certificate (CA/B BR §6.1.1.3).
  await db.schema
    .createIndex('ca_certificate_compromised')
    .on('ca_certificate')
    .columns(['spki_hash', 'reason'])
    .where('reason', 'is not', null)
    .execute();
  // Where the key of all replicas' nonces rests: one row, so that first starts at once agree.
  await db.schema
    .createTable('acme_nonce_key')
    .addColumn('slot', 'text', (column) => column.primaryKey())
    .addColumn('path', 'text', (column) => column.notNull())
    .execute();
};

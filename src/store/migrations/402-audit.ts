import { sql } from 'kysely';
import type { Step } from './index.ts';

const WRITTEN = 'at, actor, action, resource, outcome, facts';

/** Audit events can be added and sealed, and nothing else: the database itself refuses a change or removal. */
export const audit: Step = async (db, types) => {
  await db.schema
    .createTable('audit_event')
    .addColumn('seq', types.serial, types.serialKey)
    .addColumn('at', types.integer, (column) => column.notNull())
    .addColumn('actor', 'text', (column) => column.notNull())
    .addColumn('action', 'text', (column) => column.notNull())
    .addColumn('resource', 'text', (column) => column.notNull())
    .addColumn('outcome', 'text', (column) => column.notNull())
    .addColumn('facts', 'text', (column) => column.notNull())
    .addColumn('seal', types.integer)
    .execute();
  await db.schema.createIndex('audit_by_action').on('audit_event').columns(['action', 'seq']).execute();
  await db.schema.createIndex('audit_by_actor').on('audit_event').columns(['actor', 'seq']).execute();
  await db.schema.createIndex('audit_by_resource').on('audit_event').columns(['resource', 'seq']).execute();
  await db.schema.createIndex('audit_by_seal').on('audit_event').columns(['seal', 'seq']).execute();
  await db.schema
    .createTable('audit_seal')
    .addColumn('number', types.integer, (column) => column.primaryKey())
    .addColumn('at', types.integer, (column) => column.notNull())
    .addColumn('events', 'integer', (column) => column.notNull())
    .addColumn('digest', 'text', (column) => column.notNull())
    .execute();
  if (types.dialect === 'sqlite') {
    const refuse = sql.raw("begin select raise(abort, 'the audit log is append-only'); end");
    await sql`create trigger audit_no_update before update of ${sql.raw(WRITTEN)} on audit_event ${refuse}`.execute(db);
    await sql`create trigger audit_no_delete before delete on audit_event ${refuse}`.execute(db);
  } else {
    await sql`create function audit_append_only() returns trigger language plpgsql as
      $$ begin raise exception 'the audit log is append-only'; end $$`.execute(db);
    const refuse = sql.raw('for each row execute function audit_append_only()');
    await sql`create trigger audit_no_update before update of ${sql.raw(WRITTEN)} on audit_event ${refuse}`.execute(db);
    await sql`create trigger audit_no_delete before delete on audit_event ${refuse}`.execute(db);
  }
};

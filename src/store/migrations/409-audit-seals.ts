import { sql } from 'kysely';
import type { Step } from './index.ts';

/**
 * What seals the audit log is kept as the log is: seals can be added, an event is sealed once, and neither table is
 * emptied. Whoever may change the schema can take this away; `audit verify` then says what they changed.
 */
export const auditSeals: Step = async (db, { dialect }) => {
  const refuse = (when: string, table: string, name: string, condition = '') =>
    sql.raw(
      dialect === 'sqlite'
        ? `create trigger ${name} before ${when} on ${table} ${condition && `when ${condition}`}
             begin select raise(abort, 'the audit log is append-only'); end`
        : `create trigger ${name} before ${when} on ${table} for each row ${condition && `when (${condition})`}
             execute function audit_append_only()`,
    );
  const steps = [
    refuse('update', 'audit_seal', 'audit_seal_no_update'),
    refuse('delete', 'audit_seal', 'audit_seal_no_delete'),
    refuse('update of seal', 'audit_event', 'audit_sealed_once', 'old.seal is not null'),
    refuse('update of seq', 'audit_event', 'audit_no_renumber'),
    ...(dialect === 'sqlite'
      ? []
      : ['audit_event', 'audit_seal'].map((table) =>
          sql.raw(
            `create trigger ${table}_no_truncate before truncate on ${table} for each statement
               execute function audit_append_only()`,
          ),
        )),
  ];
  for (const step of steps) await sql`${step}`.execute(db);
};

import type { AuditEvent, AuditVerdict } from '../contract/index.ts';
import { type AuditOutcome, type AuditRow, listAudit, sealAudit, verifyAudit } from '../store/audit.ts';
import { type Actor, requirePermission } from './actor.ts';
import { type ControlDeps, invalid } from './context.ts';
import { auditDocument } from './documents.ts';
import { decodeCursor, limitOf, type Page, type PageInput, pageOf } from './page.ts';
import { actorNames } from './standing.ts';

export interface AuditListInput extends PageInput {
  readonly actor?: string;
  readonly action?: string;
  readonly resource?: string;
  readonly outcome?: AuditOutcome;
  /** RFC 3339. */
  readonly since?: string;
  readonly until?: string;
}

export interface AuditUseCases {
  /** Newest first. */
  list(actor: Actor, input: AuditListInput): Promise<Page<AuditEvent>>;
  verify(actor: Actor): Promise<AuditVerdict>;
  /** Newest first, to the end, a batch at a time. */
  exportAll(actor: Actor, input: AuditListInput): AsyncGenerator<AuditEvent[]>;
}

export function createAuditUseCases(deps: ControlDeps): AuditUseCases {
  const filterOf = (input: AuditListInput) => ({
    ...(input.actor !== undefined && { actor: input.actor }),
    ...(input.action !== undefined && { action: input.action }),
    ...(input.resource !== undefined && { resource: input.resource }),
    ...(input.outcome !== undefined && { outcome: input.outcome }),
    ...(input.since !== undefined && { since: parseTime(input.since, 'since') }),
    ...(input.until !== undefined && { until: parseTime(input.until, 'until') }),
  });
  const namesIn = (rows: readonly AuditRow[]) =>
    actorNames(
      deps.store.db,
      rows.map((row) => row.actor),
    );
  return {
    async list(actor, input) {
      requirePermission(actor, 'audit.read');
      const limit = limitOf(input);
      const before = decodeCursor(input.cursor, 'number');
      const rows = await listAudit(deps.store.db, filterOf(input), {
        limit: limit + 1,
        ...(before !== undefined && { before }),
      });
      const nameOf = await namesIn(rows);
      return pageOf(
        rows,
        limit,
        (row) => row.seq,
        (row) => auditDocument(row, nameOf),
      );
    },
    async verify(actor) {
      requirePermission(actor, 'audit.read');
      await sealAudit(deps.store, deps.clock.now());
      const verdict = await verifyAudit(deps.store.db);
      return { ...verdict, problem: verdict.problem ?? null };
    },
    async *exportAll(actor, input) {
      requirePermission(actor, 'audit.read');
      const filter = filterOf(input);
      for (let before: number | undefined; ; ) {
        const rows = await listAudit(deps.store.db, filter, { limit: 1000, ...(before !== undefined && { before }) });
        if (rows.length === 0) return;
        const nameOf = await namesIn(rows);
        yield rows.map((row) => auditDocument(row, nameOf));
        before = rows.at(-1)!.seq;
      }
    },
  };
}

function parseTime(text: string, field: string): number {
  const ms = Date.parse(text);
  if (Number.isNaN(ms))
    throw invalid(
      field,
      'invalid_time',
      `${JSON.stringify(text.slice(0, 60))} is no time`,
      'give RFC 3339: 2026-11-24T03:00:00Z',
    );
  return ms;
}

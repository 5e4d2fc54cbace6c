import type { Db } from './store.ts';

/** `added`: claimed now. `kept`: the app had it already. `failed`: see the detail. */
export type ImportOutcome = 'added' | 'kept' | 'failed';

export interface DomainImportTables {
  domain_import: {
    id: string;
    app_id: string;
    actor: string;
    total: number;
    created_at: number;
    finished_at: number | null;
  };
  /** `input` is JSON of what the line asks for. */
  domain_import_row: {
    import_id: string;
    line: number;
    input: string;
    outcome: ImportOutcome | null;
    detail: string | null;
  };
}

export type DomainImportRow = DomainImportTables['domain_import'];
export type DomainImportLine = DomainImportTables['domain_import_row'];

// SQLite takes 32,766 parameters in a statement (SQLITE_MAX_VARIABLE_NUMBER).
const LINES_PER_INSERT = 2_000;

export async function insertImport(
  tx: Db,
  row: DomainImportRow,
  lines: readonly { line: number; input: string }[],
): Promise<void> {
  await tx.insertInto('domain_import').values(row).execute();
  for (let i = 0; i < lines.length; i += LINES_PER_INSERT)
    await tx
      .insertInto('domain_import_row')
      .values(
        lines
          .slice(i, i + LINES_PER_INSERT)
          .map(({ line, input }) => ({ import_id: row.id, line, input, outcome: null, detail: null })),
      )
      .execute();
}

export async function importById(db: Db, id: string): Promise<DomainImportRow | undefined> {
  return db.selectFrom('domain_import').selectAll().where('id', '=', id).executeTakeFirst();
}

export async function unfinishedImports(db: Db): Promise<DomainImportRow[]> {
  return db.selectFrom('domain_import').selectAll().where('finished_at', 'is', null).orderBy('id').execute();
}

export async function openLines(db: Db, importId: string, limit: number): Promise<DomainImportLine[]> {
  return db
    .selectFrom('domain_import_row')
    .selectAll()
    .where('import_id', '=', importId)
    .where('outcome', 'is', null)
    .orderBy('line')
    .limit(limit)
    .execute();
}

export async function closeLine(
  tx: Db,
  importId: string,
  line: number,
  outcome: ImportOutcome,
  detail: string | null,
): Promise<void> {
  await tx
    .updateTable('domain_import_row')
    .set({ outcome, detail })
    .where('import_id', '=', importId)
    .where('line', '=', line)
    .execute();
}

export async function finishImport(tx: Db, id: string, now: number): Promise<void> {
  await tx.updateTable('domain_import').set({ finished_at: now }).where('id', '=', id).execute();
}

export async function countLines(db: Db, importId: string): Promise<Record<ImportOutcome | 'open', number>> {
  const rows = await db
    .selectFrom('domain_import_row')
    .select(['outcome', (e) => e.fn.countAll<number>().as('count')])
    .where('import_id', '=', importId)
    .groupBy('outcome')
    .execute();
  const counts = { added: 0, kept: 0, failed: 0, open: 0 };
  for (const { outcome, count } of rows) counts[outcome ?? 'open'] = Number(count);
  return counts;
}

/** In order of line, those after `after`. */
export async function listLines(
  db: Db,
  importId: string,
  filter: { outcome?: ImportOutcome },
  page: { after?: number; limit: number },
): Promise<DomainImportLine[]> {
  let query = db.selectFrom('domain_import_row').selectAll().where('import_id', '=', importId);
  if (filter.outcome !== undefined) query = query.where('outcome', '=', filter.outcome);
  if (page.after !== undefined) query = query.where('line', '>', page.after);
  return query.orderBy('line').limit(page.limit).execute();
}

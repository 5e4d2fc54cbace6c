import { errorText, Fault, type Logger, newId } from '../base/index.ts';
import type { AddDomain, DomainImport, ImportLine } from '../contract/index.ts';
import {
  closeLine,
  countLines,
  type DomainImportLine,
  type DomainImportRow,
  finishImport,
  type ImportOutcome,
  importById,
  insertImport,
  listLines,
  openLines,
  unfinishedImports,
} from '../store/domain-imports.ts';
import { appendAudit } from '../store/index.ts';
import { type Actor, requirePermission } from './actor.ts';
import { appFor } from './apps.ts';
import { auditEvent, type ControlDeps, guarded, notFound } from './context.ts';
import { time, timeOrNull } from './documents.ts';
import type { DomainUseCases } from './domains.ts';
import { decodeCursor, limitOf, type Page, type PageInput, pageOf } from './page.ts';
import { parseImport } from './parse-import.ts';

export interface ImportUseCases {
  /** Takes a CSV of names and answers at once; the names are claimed one after another, also after a restart. */
  start(actor: Actor, app: string, csv: string): Promise<DomainImport>;
  get(actor: Actor, app: string, id: string): Promise<DomainImport>;
  lines(
    actor: Actor,
    app: string,
    id: string,
    input: PageInput & { outcome?: ImportOutcome },
  ): Promise<Page<ImportLine>>;
  /** Goes on with what is unfinished, until the signal says stop. */
  run(signal: AbortSignal): Promise<void>;
}

const AT_ONCE = 32;
const LOOK_EVERY_MS = 5_000;

export function createImportUseCases(deps: ControlDeps, domains: Pick<DomainUseCases, 'add'>): ImportUseCases {
  const { store, clock, log } = deps;
  let wake = () => {};
  const find = async (actor: Actor, reference: string, id: string): Promise<DomainImportRow> => {
    requirePermission(actor, 'apps.read');
    const app = await appFor(deps, actor, reference);
    const row = await importById(store.db, id);
    if (row?.app_id !== app.id) throw notFound('import', id);
    return row;
  };
  const document = async (row: DomainImportRow): Promise<DomainImport> => {
    const { open, ...counts } = await countLines(store.db, row.id);
    return {
      id: row.id,
      app: row.app_id,
      total: row.total,
      done: row.total - open,
      ...counts,
      created_at: time(row.created_at),
      finished_at: timeOrNull(row.finished_at),
    };
  };
  return {
    start: (actor, reference, csv) => {
      const act = {
        permission: 'apps.manage',
        action: 'domain.import',
        resource: `app:${reference.slice(0, 63)}`,
      } as const;
      return guarded(deps, actor, act, async () => {
        const app = await appFor(deps, actor, reference);
        const lines = parseImport(csv);
        const now = clock.now();
        const row = {
          id: newId('imp', now),
          app_id: app.id,
          actor: actor.name,
          total: lines.length,
          created_at: now,
          finished_at: null,
        };
        await store.write(async (tx) => {
          await insertImport(tx, row, lines);
          await appendAudit(tx, auditEvent(actor, { ...act, facts: { id: row.id, names: lines.length } }, now));
        });
        wake();
        return document(row);
      });
    },
    get: async (actor, app, id) => document(await find(actor, app, id)),
    async lines(actor, app, id, input) {
      const row = await find(actor, app, id);
      const after = decodeCursor(input.cursor, 'number');
      const filter = input.outcome === undefined ? {} : { outcome: input.outcome };
      const lines = await listLines(store.db, row.id, filter, {
        limit: limitOf(input) + 1,
        ...(after !== undefined && { after }),
      });
      return pageOf(lines, limitOf(input), ({ line }) => line, lineDocument);
    },
    async run(signal) {
      while (!signal.aborted) {
        const woken = new Promise<void>((resolve) => {
          wake = resolve;
        });
        try {
          for (const row of await unfinishedImports(store.db)) await carryOut(deps, domains, row, signal, log);
        } catch (error) {
          log.error({ problem: errorText(error) }, 'imports: a round failed; the next one goes on where it stopped');
        }
        await Promise.race([woken, clock.sleep(LOOK_EVERY_MS, signal).catch(() => {})]);
      }
    },
  };
}

/** Claims line after line; each is closed with its outcome, so a crash repeats only what was under way. */
async function carryOut(
  deps: ControlDeps,
  domains: Pick<DomainUseCases, 'add'>,
  row: DomainImportRow,
  signal: AbortSignal,
  log: Logger,
): Promise<void> {
  const { store, clock } = deps;
  const actor: Actor = { name: row.actor, permissions: new Set(['apps.manage']) };
  for (;;) {
    const lines = await openLines(store.db, row.id, AT_ONCE);
    if (lines.length === 0) break;
    if (signal.aborted) return;
    await Promise.all(
      lines.map(async ({ line, input }) => {
        const [outcome, detail] = await claimLine(domains, actor, row.app_id, JSON.parse(input) as AddDomain, log);
        await store.write((tx) => closeLine(tx, row.id, line, outcome, detail));
      }),
    );
  }
  await store.write((tx) => finishImport(tx, row.id, clock.now()));
}

async function claimLine(
  domains: Pick<DomainUseCases, 'add'>,
  actor: Actor,
  app: string,
  input: AddDomain,
  log: Logger,
): Promise<[ImportOutcome, string | null]> {
  try {
    const { created } = await domains.add(actor, app, input);
    return [created ? 'added' : 'kept', null];
  } catch (error) {
    if (error instanceof Fault)
      return ['failed', `${error.details.detail}${error.details.advice ? ` (${error.details.advice})` : ''}`];
    log.error({ app, problem: errorText(error) }, 'a line of an import failed by a defect of ours');
    return ['failed', 'something went wrong here; the log of the server says what'];
  }
}

function lineDocument(line: DomainImportLine): ImportLine {
  const { domain } = JSON.parse(line.input) as AddDomain;
  return { line: line.line, domain, outcome: line.outcome ?? 'open', detail: line.detail };
}

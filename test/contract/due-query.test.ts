// What the engine asks at every step costs what is due, and not what there is: seen in PostgreSQL's own account of a run.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sql } from 'kysely';
import { dueCertificates, nextDue } from '../../src/store/certificates.ts';
import { runDirectly } from '../../src/store/compiled.ts';
import { type Db, openStore } from '../../src/store/index.ts';
import { startPostgres } from '../fixtures/postgres.ts';

interface Node {
  readonly 'Node Type': string;
  readonly 'Index Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly 'Shared Hit Blocks': number;
  readonly 'Shared Read Blocks': number;
  readonly Plans?: readonly Node[];
}

/** What PostgreSQL does for what is asked, and how many blocks it reads for it. */
async function accountOf(db: Db, ask: (db: Db) => Promise<unknown>): Promise<{ nodes: Node[]; blocks: number }> {
  const asked: string[] = [];
  runDirectly(db, (text, parameters) => {
    asked.push(text.replaceAll(/\$(\d+)/g, (_, number) => String(parameters[number - 1])));
    return { rows: [] };
  });
  await ask(db);
  assert.equal(asked.length, 1);
  const explained = sql.raw<{ 'QUERY PLAN': [{ Plan: Node }] }>(`explain (analyze, buffers, format json) ${asked[0]}`);
  await explained.execute(db);
  const { rows } = await explained.execute(db);
  const top = rows[0]!['QUERY PLAN'][0].Plan;
  const flat = (node: Node): Node[] => [node, ...(node.Plans ?? []).flatMap(flat)];
  return { nodes: flat(top), blocks: top['Shared Hit Blocks'] + top['Shared Read Blocks'] };
}

/** Certificates of which the first `due` are due at time 0. */
async function fill(db: Db, from: number, to: number, due: number): Promise<void> {
  await sql`
    insert into certificate (id, identity, kind, names, issuers, key_type, reuse_key, challenge, status, attempts,
      next_attempt_at, asked_again, lease_token, lease_until, created_at, updated_at)
    select 'crt_' || lpad(i::text, 8, '0'), i::text, 'acme', '["a.example"]', '["one"]', 'ec-p256', 0, 'auto', 'valid', 0,
      case when i < ${due} then -1 - i else 1000 + i end, 0, 0, 0, 0, 0
    from generate_series(${from}::int, ${to - 1}::int) as i`.execute(db);
  await sql`vacuum analyze certificate`.execute(db);
}

test('PostgreSQL finds what is due in an index, and reads no more of it when ten times as many are not due', async (t) => {
  const url = await startPostgres(t);
  if (url === undefined) return;
  const store = await openStore({ url });
  t.after(() => store.close());
  const read: number[] = [];
  for (const [from, to] of [
    [0, 2_000],
    [2_000, 20_000],
  ] as const) {
    await fill(store.db, from, to, 7);
    const due = await accountOf(store.db, (db) => dueCertificates(db, 0, 256));
    const scan = due.nodes.at(-1)!;
    assert.equal(scan['Index Name'], 'certificate_by_due');
    assert.equal(scan['Actual Rows'], 7);
    assert.equal(scan['Rows Removed by Filter'] ?? 0, 0);
    assert.ok(due.nodes.every((node) => node['Node Type'] !== 'Sort'));
    const next = await accountOf(store.db, nextDue);
    assert.equal(next.nodes.at(-1)!['Index Name'], 'certificate_by_due');
    assert.equal(next.nodes.at(-1)!['Actual Rows'], 1);
    read.push(due.blocks + next.blocks);
  }
  // One more level of the index at most, for each of the two.
  assert.ok(read[1]! <= read[0]! + 2, `${read}`);
});

// npm run bench:acme [-- --orders N] [--only sqlite,postgres,pebble,step-ca] [--modes trust,challenge] [--accounts N]
// npm run bench:acme -- --soak 100000 [--modes trust,challenge]
// Whole ACME orders, from another process, beside the floor of the work, Pebble and step-ca. See docs/performance.md.
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { freePort } from '../test/fixtures/temporary.ts';
import {
  type BenchGround,
  type PeerServer,
  startDurablePostgres,
  startPinnedPebble,
  startStepCa,
} from './acme/peers.ts';

const { values } = parseArgs({
  options: {
    orders: { type: 'string', default: '4000' },
    soak: { type: 'string' },
    only: { type: 'string' },
    modes: { type: 'string' },
    accounts: { type: 'string', default: '32' },
  },
});

interface Outcome {
  readonly orders: number;
  readonly perSecond: number;
  readonly requestsPerOrder: number;
  /** Of its core, by the load itself: near 1, it is the load that is measured. */
  readonly loadBusy: number;
  readonly p50: number;
  readonly p99: number;
}
interface Usage {
  readonly cpuMs: number;
  readonly rssMb: number;
  /** On and off V8's heap, after a full collection where one can be asked for. */
  readonly heapMb: number;
  /** In a soak. */
  readonly rows?: { readonly orders: number; readonly certificates: number; readonly audit: number };
}
type Mode = 'trust' | 'challenge';

/** So that 100,000 orders fill 400 days: orders are kept for 30 days after their end, certificates for 90. */
const SOAK_STEP_MS = 345_600;

const work = mkdtempSync(join(tmpdir(), 'gatehouse-bench-'));
const cleanups: (() => unknown)[] = [() => rmSync(work, { recursive: true, force: true })];
const ground: BenchGround = { work, after: (cleanup) => cleanups.push(cleanup) };
const pinned = (core: number, ...command: string[]) => ['taskset', ['-c', String(core), ...command]] as const;
const node = [process.execPath, '--disable-warning=ExperimentalWarning'];

/** Reads one JSON line at a time from a process that we started. */
function lines(child: ChildProcess): () => Promise<unknown> {
  const iterator = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  return async () => {
    const { value, done } = await iterator.next();
    if (done === true) throw new Error('the process ended without an answer');
    return JSON.parse(value as string) as unknown;
  };
}

async function floor(): Promise<Record<'verifyJws' | 'verifyCsr' | 'signLeaf' | 'commit' | 'commitWall', number>> {
  const [command, rest] = pinned(0, ...node, 'bench/acme/floor.ts', work);
  const child = spawn(command, rest, { stdio: ['ignore', 'pipe', 'inherit'] });
  return (await lines(child)()) as Awaited<ReturnType<typeof floor>>;
}

async function drive(
  settings: object,
  during: { before?: () => Promise<void>; after?: () => Promise<void>; each?: (done: number) => void } = {},
): Promise<Outcome> {
  // fork, for its channel: the measured part begins when both sides are warm and the server's usage was read.
  const child = fork('bench/acme/load.ts', [JSON.stringify(settings)], {
    execPath: 'taskset',
    execArgv: ['-c', '1', ...node],
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  const next = lines(child);
  await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(() => Promise.reject(new Error('the load ended early'))),
  ]);
  await during.before?.();
  child.on('message', (done) => during.each?.(Number(done)));
  child.send('go');
  const outcome = (await next()) as Outcome;
  await during.after?.();
  return outcome;
}

async function ours(
  mode: Mode,
  store: string,
  orders: number,
  soak?: (done: number, usage: Usage) => void,
): Promise<Outcome & { cpuPerOrder: number; rssMb: number }> {
  const httpPort = await freePort();
  const flags = soak === undefined ? node : [...node, '--expose-gc'];
  const step = soak === undefined ? [] : [String(SOAK_STEP_MS)];
  const [command, rest] = pinned(0, ...flags, 'bench/acme/server.ts', store, mode, String(httpPort), ...step);
  const server = spawn(command, rest, { stdio: ['ignore', 'pipe', 'inherit'] });
  cleanups.push(() => server.kill());
  const next = lines(server);
  const { directory, root, eabKeys } = (await next()) as { directory: string; root: string; eabKeys: object[] };
  const usage = async (): Promise<Usage> => {
    server.kill('SIGUSR2');
    return (await next()) as Usage;
  };
  const marks: Usage[] = [];
  const mark = async () => {
    marks.push(await usage());
  };
  const outcome = await drive(
    {
      directory,
      ca: root,
      mode,
      httpPort,
      eabKeys,
      accounts: Number(values.accounts),
      warmup: Math.min(1000, orders),
      orders,
    },
    {
      before: mark,
      after: mark,
      each: (done) => {
        if (soak !== undefined && done < orders) void usage().then((now) => soak(done, now));
      },
    },
  );
  soak?.(orders, marks[1]!);
  server.kill();
  await once(server, 'exit');
  return {
    ...outcome,
    cpuPerOrder: (marks[1]!.cpuMs - marks[0]!.cpuMs) / outcome.orders,
    rssMb: marks[1]!.rssMb,
  };
}

/** Another server, on core 0 as well. */
async function peer(running: PeerServer, orders: number): Promise<Outcome & { cpuPerOrder: number }> {
  const marks: number[] = [];
  const mark = async () => {
    marks.push(processorMs(running.pid));
  };
  const { directory, ca, httpPort } = running;
  const load = { directory, ca, mode: 'challenge', httpPort, eabKeys: [], accounts: Number(values.accounts) };
  const outcome = await drive({ ...load, warmup: Math.min(500, orders), orders }, { before: mark, after: mark });
  return { ...outcome, cpuPerOrder: (marks[1]! - marks[0]!) / outcome.orders };
}

/** Processor time of another process, from the kernel's ticks of 10 ms. */
function processorMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

const rows: string[][] = [
  ['', 'orders/s', 'p50 ms', 'p99 ms', 'requests', 'CPU ms/order', 'floor', 'x floor', 'MB', 'load busy'],
];
const report = (name: string, outcome: Outcome & { cpuPerOrder?: number; rssMb?: number }, floorMs?: number) => {
  const { perSecond, p50, p99, requestsPerOrder, cpuPerOrder, rssMb, loadBusy } = outcome;
  const ratio = floorMs === undefined || cpuPerOrder === undefined ? '' : (cpuPerOrder / floorMs).toFixed(2);
  rows.push([
    name,
    perSecond.toFixed(0),
    p50.toFixed(1),
    p99.toFixed(1),
    requestsPerOrder.toFixed(1),
    cpuPerOrder?.toFixed(2) ?? '',
    floorMs?.toFixed(2) ?? '',
    ratio,
    rssMb?.toFixed(0) ?? '',
    loadBusy.toFixed(2),
  ]);
  console.error(rows.at(-1)!.join('  '));
};

try {
  const orders = Number(values.orders);
  const { verifyJws, verifyCsr, signLeaf, commit, commitWall } = await floor();
  const floorOf = ({ requestsPerOrder }: Outcome) =>
    (requestsPerOrder * verifyJws + verifyCsr + signLeaf + commit) / 1000;
  console.error(
    `floor: verify a request ${verifyJws.toFixed(0)} us, a CSR ${verifyCsr.toFixed(0)} us, sign ${signLeaf.toFixed(0)} us, one durable commit ${commit.toFixed(0)} us and ${(commitWall / 1000).toFixed(1)} ms of waiting`,
  );
  // A soak is alone, unless others are named.
  const only = values.only ?? (values.soak === undefined ? 'sqlite,postgres,pebble,step-ca' : '');
  const wanted = (name: string) => only.split(',').includes(name);
  const modes = (['trust', 'challenge'] as const).filter((mode) => values.modes?.split(',').includes(mode) ?? true);
  const stores: [name: string, key: string, open: () => Promise<string>][] = [
    ['SQLite', 'sqlite', async () => join(work, `${Math.random()}.sqlite`)],
    ['PostgreSQL', 'postgres', () => startDurablePostgres(ground)],
  ];
  for (const [name, key, open] of stores.filter(([, key]) => wanted(key)))
    for (const mode of modes) {
      const outcome = await ours(mode, await open(), key === 'sqlite' ? orders : Math.min(orders, 1500));
      report(`Gatehouse, ${name}, ${mode}`, outcome, floorOf(outcome));
    }
  if (wanted('pebble'))
    report('Pebble, memory, challenge', await peer(await startPinnedPebble(ground), Math.min(orders, 2000)));
  if (wanted('step-ca'))
    report('step-ca, Badger, challenge', await peer(await startStepCa(ground), Math.min(orders, 1000)));
  for (const mode of values.soak === undefined ? [] : modes) {
    const store = join(work, `soak-${mode}.sqlite`);
    const outcome = await ours(mode, store, Number(values.soak), (done, { rssMb, heapMb, rows }) => {
      const { orders, certificates, audit } = rows!;
      const megabytes = `resident ${rssMb.toFixed(0)} MB, held ${heapMb.toFixed(1)} MB, file ${(statSync(store).size / 2 ** 20).toFixed(0)} MB`;
      console.error(`${mode} ${done}: ${megabytes}; ${orders} orders, ${certificates} certificates, ${audit} events`);
    });
    report(`Gatehouse, SQLite, ${mode}, ${values.soak} orders`, outcome, floorOf(outcome));
  }
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  for (const row of rows)
    console.log(
      row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!))).join('  '),
    );
} finally {
  for (const cleanup of cleanups.reverse()) await cleanup();
}
process.exit(0);

// npm run bench:edge [-- --work h1-1k,h2 --servers gatehouse,nginx --rounds 5 --seconds 5 --json FILE]
// Every server pinned to core 0, load and backend to core 1; servers take turns within a round, so that what else the
// machine does meets all of them alike. Prints medians, and their ratios to ours.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createTestAuthority } from '../test/fixtures/certificate.ts';
import { freePort } from '../test/fixtures/temporary.ts';
import { type Outcome, WORKS, type Work } from './edge/load.ts';
import { backendConfig, SERVERS, type ServerName, type Setting } from './edge/servers.ts';

const { values } = parseArgs({
  options: {
    work: { type: 'string', default: WORKS.map(({ name }) => name).join(',') },
    servers: { type: 'string', default: Object.keys(SERVERS).join(',') },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '4' },
    json: { type: 'string' },
  },
});
const rounds = Number(values.rounds);
const seconds = Number(values.seconds);
const works = WORKS.filter(({ name }) => values.work.split(',').includes(name));
const names = values.servers.split(',') as ServerName[];

const directory = mkdtempSync(join(tmpdir(), 'gatehouse-bench-'));
const { cert, key } = createTestAuthority().issue(['shop.example.com', '127.0.0.1']);
const certFile = join(directory, 'cert.pem');
const keyFile = join(directory, 'key.pem');
writeFileSync(certFile, cert);
writeFileSync(keyFile, key, { mode: 0o600 });
writeFileSync(`${certFile}.both`, cert + key, { mode: 0o600 });

const answers = (port: number) =>
  new Promise<boolean>((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });

async function start(
  core: string,
  command: string,
  commandArguments: readonly string[],
  port: number,
  env: object = {},
) {
  const child = spawn('taskset', ['-c', core, command, ...commandArguments], {
    stdio: ['ignore', 'ignore', process.env.BENCH_VERBOSE === undefined ? 'ignore' : 'inherit'],
    env: { ...process.env, ...env },
  });
  for (let tries = 0; !(await answers(port)); tries++) {
    if (tries > 200 || child.exitCode !== null) throw new Error(`${command} did not start`);
    await delay(50);
  }
  return child;
}

async function stop(child: ChildProcess) {
  if (child.exitCode !== null) return;
  child.kill('SIGTERM');
  const forced = setTimeout(() => child.kill('SIGKILL'), 3_000);
  await new Promise((resolve) => child.once('exit', resolve));
  clearTimeout(forced);
}

const median = (numbers: readonly number[]) =>
  [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;

const backendPort = await freePort();
const h2cPort = await freePort();
const backend = await start(
  '1',
  'nginx',
  ['-p', directory, '-c', backendConfig(directory, backendPort, h2cPort)],
  backendPort,
);

/** Processor time in ms that a process and its children have used. */
function cpuMs(pid: number): number {
  let ticks = 0;
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const fields = readFileSync(`/proc/${entry}/stat`, 'utf8')
        .replace(/^.*\) /, '')
        .split(' ');
      if (Number(entry) === pid || Number(fields[1]) === pid) ticks += Number(fields[11]) + Number(fields[12]);
    } catch {}
  }
  return ticks * 10;
}

interface Measured extends Outcome {
  /** Microseconds of processor time of the server for each request: what is left of a ratio on a busy machine. */
  readonly cpuUs: number;
}

async function measure(work: Work, name: ServerName): Promise<Measured | undefined> {
  const setting: Setting = {
    directory,
    port: await freePort(),
    backend: backendPort,
    backendH2c: h2cPort,
    cert: certFile,
    key: keyFile,
    h2c: work.h2c,
  };
  const command = SERVERS[name](setting);
  if (command === undefined) return undefined;
  const child = await start('0', command.command, command.arguments, setting.port, command.env);
  try {
    await work.run(setting.port, 1);
    const before = cpuMs(child.pid!);
    const outcome = await work.run(setting.port, seconds);
    return { ...outcome, cpuUs: ((cpuMs(child.pid!) - before) * 1000) / outcome.count };
  } finally {
    await stop(child);
  }
}

const results: Record<string, Record<string, number>> = {};
try {
  for (const work of works) {
    const outcomes = new Map<ServerName, Measured[]>();
    for (let round = 0; round < rounds; round++) {
      for (const name of names) {
        const outcome = await measure(work, name).catch((error: unknown) => {
          console.error(`${work.name} ${name}: ${String(error)}`);
          return undefined;
        });
        if (outcome !== undefined) outcomes.set(name, [...(outcomes.get(name) ?? []), outcome]);
      }
    }
    console.log(`\n${work.name}: ${work.says}`);
    const ours = median((outcomes.get('gatehouse') ?? []).map(({ value }) => value));
    const ourCpu = median((outcomes.get('gatehouse') ?? []).map(({ cpuUs }) => cpuUs));
    results[work.name] = {};
    for (const [name, list] of outcomes) {
      const value = median(list.map((outcome) => outcome.value));
      const cpu = median(list.map(({ cpuUs }) => cpuUs));
      results[work.name]![name] = value;
      const failed = list.reduce((sum, outcome) => sum + (outcome.failed || 0), 0);
      const p99 = median(list.flatMap(({ p99Ms }) => (p99Ms === undefined ? [] : [p99Ms])));
      const ratio =
        name === 'gatehouse'
          ? ''
          : `  gatehouse is ${(ours / value).toFixed(2)}x, by processor time ${(cpu / ourCpu).toFixed(2)}x`;
      const latency = Number.isNaN(p99) ? '' : `  p99 ${p99.toFixed(2)} ms`;
      console.log(
        `  ${name.padEnd(10)} ${value.toFixed(0).padStart(8)} ${work.unit}  ${cpu.toFixed(0).padStart(5)} us${latency}${ratio}${failed > 0 ? `  ${failed} failed` : ''}`,
      );
    }
  }
} finally {
  await stop(backend);
  rmSync(directory, { recursive: true, force: true });
}
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(results, null, 2)}\n`);

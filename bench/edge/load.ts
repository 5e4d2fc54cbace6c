import { spawn } from 'node:child_process';

/** What one run of a load generator says. `value` is per second. */
export interface Outcome {
  readonly value: number;
  /** Requests in all. */
  readonly count: number;
  readonly failed: number;
  readonly p99Ms: number | undefined;
}

export interface Work {
  readonly name: string;
  readonly says: string;
  readonly unit: string;
  readonly h2c: boolean;
  run(port: number, seconds: number): Promise<Outcome>;
}

/** Core of the load and the backend; servers have the other. */
const LOAD_CORE = '1';

async function output(command: string, commandArguments: readonly string[]): Promise<string> {
  const child = spawn('taskset', ['-c', LOAD_CORE, command, ...commandArguments], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  child.stdout.on('data', (piece) => {
    text += piece;
  });
  child.stderr.on('data', (piece) => {
    text += piece;
  });
  await new Promise((resolve) => child.once('close', resolve));
  return text;
}

const number = (text: string, pattern: RegExp): number => Number(pattern.exec(text)?.[1] ?? Number.NaN);

function milliseconds(text: string | undefined): number | undefined {
  const match = /^([\d.]+)(us|ms|s)$/.exec(text ?? '');
  if (match === null) return undefined;
  return Number(match[1]) * { us: 0.001, ms: 1, s: 1000 }[match[2] as 'us' | 'ms' | 's'];
}

async function wrk(
  port: number,
  seconds: number,
  connections: number,
  path: string,
  headers: string[] = [],
): Promise<Outcome> {
  const text = await output('wrk', [
    '-t1',
    `-c${connections}`,
    `-d${seconds}s`,
    '--latency',
    ...headers.flatMap((header) => ['-H', header]),
    `https://127.0.0.1:${port}${path}`,
  ]);
  const p99 = /99%\s+(\S+)/.exec(text)?.[1];
  const bad = /Non-2xx or 3xx responses: (\d+)/.exec(text)?.[1] ?? '0';
  return {
    value: number(text, /Requests\/sec:\s+([\d.]+)/),
    count: number(text, /(\d+) requests in/),
    failed: Number(bad),
    p99Ms: milliseconds(p99),
  };
}

async function h2load(port: number, seconds: number, options: string[], path: string): Promise<Outcome> {
  const text = await output('h2load', [
    '-D',
    String(seconds),
    '--warm-up-time=1',
    ...options,
    `https://127.0.0.1:${port}${path}`,
  ]);
  const failed = number(text, /(\d+) failed/) + number(text, /(\d+) errored/);
  return {
    value: number(text, /finished in [^,]+, ([\d.]+) req\/s/),
    count: number(text, /finished in [^,]+, ([\d.]+) req\/s/) * (seconds + 1),
    failed,
    p99Ms: undefined,
  };
}

const h1 = (name: string, path: string, says: string, connections = 64, headers: string[] = []): Work => ({
  name,
  says,
  unit: 'requests/s',
  h2c: false,
  run: (port, seconds) => wrk(port, seconds, connections, path, headers),
});

export const WORKS: readonly Work[] = [
  h1('h1-1k', '/1k', 'HTTPS, HTTP/1.1 keep-alive, 64 connections, 1 KiB'),
  h1('h1-64k', '/64k', 'the same, 64 KiB'),
  h1('h1-1m', '/1m', 'the same, 1 MiB'),
  h1('handshakes', '/1k', 'a new TLS 1.3 connection for each request', 64, ['Connection: close']),
  {
    name: 'h2',
    says: 'HTTP/2, 32 streams on each of 16 connections, 1 KiB',
    unit: 'requests/s',
    h2c: false,
    run: (port, seconds) => h2load(port, seconds, ['-c16', '-m32'], '/1k'),
  },
  {
    name: 'h2c',
    says: 'HTTP/2 to h2c upstream, 100 streams, small answers',
    unit: 'requests/s',
    h2c: true,
    run: (port, seconds) => h2load(port, seconds, ['-c4', '-m100', '-H', 'content-type: application/grpc'], '/grpc'),
  },
];

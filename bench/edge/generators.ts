import { join } from 'node:path';
import { LOAD_CORE, output } from './processes.ts';
import type { Load, Outcome } from './work.ts';

const number = (text: string, pattern: RegExp): number => Number(pattern.exec(text)?.[1] ?? Number.NaN);

function milliseconds(text: string | undefined): number | undefined {
  const match = /^([\d.]+)(us|ms|s)$/.exec(text ?? '');
  if (match === null) return undefined;
  return Number(match[1]) * { us: 0.001, ms: 1, s: 1000 }[match[2] as 'us' | 'ms' | 's'];
}

/** wrk keeps each connection's newest TLS session, and comes back with it when it has to connect again. */
export const wrk =
  (path: string, { connections = 64, headers = [] as string[], cores = LOAD_CORE, script = '' } = {}): Load =>
  async (port, seconds) => {
    const threads = cores.split(',').length;
    const text = await output(
      'wrk',
      [
        `-t${threads}`,
        `-c${connections}`,
        `-d${seconds}s`,
        '--latency',
        ...headers.flatMap((header) => ['-H', header]),
        ...(script === '' ? [] : ['-s', join(import.meta.dirname, script)]),
        `https://127.0.0.1:${port}${path}`,
      ],
      cores,
    );
    const bad = /Non-2xx or 3xx responses: (\d+)/.exec(text)?.[1] ?? '0';
    return {
      value: number(text, /Requests\/sec:\s+([\d.]+)/),
      count: number(text, /(\d+) requests in/),
      failed: Number(bad),
      p99Ms: milliseconds(/99%\s+(\S+)/.exec(text)?.[1]),
    };
  };

export const h2load =
  (path: string, options: string[]): Load =>
  async (port, seconds) => {
    const rest = ['-D', String(seconds), '--warm-up-time=1', ...options, `https://127.0.0.1:${port}${path}`];
    const text = await output('h2load', rest);
    const value = number(text, /finished in [^,]+, ([\d.]+) req\/s/);
    return {
      value,
      count: value * (seconds + 1),
      failed: number(text, /(\d+) failed/) + number(text, /(\d+) errored/),
    };
  };

/** ab makes a new TLS context for each connection, so each handshake is a full one. */
export const ab =
  (path: string, connections = 64): Load =>
  async (port, seconds) => {
    const rest = ['-q', '-t', String(seconds), '-n', '100000000', '-c', String(connections), '-f', 'TLS1.3'];
    const text = await output('ab', [...rest, `https://127.0.0.1:${port}${path}`]);
    return {
      value: number(text, /Requests per second:\s+([\d.]+)/),
      count: number(text, /Complete requests:\s+(\d+)/),
      failed: number(text, /Failed requests:\s+(\d+)/) + Number(/Non-2xx responses:\s+(\d+)/.exec(text)?.[1] ?? 0),
      p99Ms: number(text, /99%\s+(\d+)/),
    };
  };

/** One of our own, run by Node.js on the load's core: prints `begun` when its counting begins, then an outcome as JSON. */
export const script =
  (name: string, ...rest: readonly number[]): Load =>
  async (port, seconds, begun) => {
    const file = join(import.meta.dirname, name);
    const settled = (soFar: string) => void (soFar.startsWith('begun') && begun());
    const text = await output(process.execPath, [file, ...[port, ...rest, seconds].map(String)], LOAD_CORE, settled);
    const line = text.split('\n').find((candidate) => candidate.startsWith('{'));
    if (line === undefined) throw new Error(`${name}: ${text.slice(-300)}`);
    return JSON.parse(line) as Outcome;
  };

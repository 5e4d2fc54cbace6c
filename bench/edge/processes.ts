import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** Cores by their number: servers have the first, load and backend the second. */
export const SERVER_CORE = '0';
export const LOAD_CORE = '1';
export const BOTH_CORES = '0,1';

const START_WITHIN_MS = 120_000;
const LOOK_MS = 10;

const answers = (port: number) =>
  new Promise<boolean>((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });

export interface Command {
  readonly command: string;
  readonly arguments: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export interface Running {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly startMs: number;
  stop(): Promise<void>;
}

/** Starts a program on the given cores; it is there when its port accepts connections. */
export async function start(cores: string, { command, arguments: rest, env }: Command, port: number): Promise<Running> {
  const begun = performance.now();
  const child = spawn('taskset', ['-c', cores, command, ...rest], {
    stdio: ['ignore', 'ignore', process.env.BENCH_VERBOSE === undefined ? 'ignore' : 'inherit'],
    env: { ...process.env, ...env },
  });
  while (!(await answers(port))) {
    if (child.exitCode !== null || performance.now() - begun > START_WITHIN_MS)
      throw new Error(`${command} did not start`);
    await delay(LOOK_MS);
  }
  return { child, pid: child.pid!, startMs: performance.now() - begun, stop: () => stop(child) };
}

async function stop(child: ChildProcess) {
  if (child.exitCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  const forced = setTimeout(() => child.kill('SIGKILL'), 3_000);
  await ended;
  clearTimeout(forced);
}

/** A program's whole output, run on the load's core. */
export async function output(
  command: string,
  rest: readonly string[],
  cores = LOAD_CORE,
  heard: (text: string) => void = () => {},
): Promise<string> {
  const child = spawn('taskset', ['-c', cores, command, ...rest], { stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (piece) => {
      text += piece;
      heard(text);
    });
  }
  await new Promise((resolve) => child.once('close', resolve));
  return text;
}

/** A process and all that it started. */
export function processTree(root: number): number[] {
  const parents = new Map<number, number>();
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const fields = statOf(Number(entry));
    if (fields !== undefined) parents.set(Number(entry), Number(fields[1]));
  }
  const tree = [root];
  for (const pid of tree) for (const [child, parent] of parents) if (parent === pid) tree.push(child);
  return tree;
}

/** Fields of /proc/PID/stat after the program's name: state, parent, … */
function statOf(pid: number): string[] | undefined {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
  } catch {
    return undefined;
  }
}

/** Processor time in ms that a process and what it started have used. */
export function cpuMs(root: number): number {
  let ticks = 0;
  for (const pid of processTree(root)) {
    const fields = statOf(pid);
    if (fields !== undefined) ticks += Number(fields[11]) + Number(fields[12]);
  }
  return ticks * 10;
}

/** Memory in MB: `resident` counts a page once for each process that maps it, `proportional` shares it among them. */
export function memoryMb(root: number): { resident: number; proportional: number } {
  const sum = (key: string) =>
    processTree(root).reduce((total, pid) => {
      const line = new RegExp(`^${key}:\\s+(\\d+)`, 'm').exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'));
      return total + Number(line?.[1] ?? 0) / 1024;
    }, 0);
  return { resident: sum('Rss'), proportional: sum('Pss') };
}

/** Ticks that each core has worked and been idle since the machine's start. */
export function coreTicks(core: string): { busy: number; idle: number } {
  const line = new RegExp(`^cpu${core} (.*)$`, 'm').exec(readFileSync('/proc/stat', 'utf8'))?.[1] ?? '';
  const [user = 0, nice = 0, system = 0, idle = 0, wait = 0, irq = 0, soft = 0] = line.split(' ').map(Number);
  return { busy: user + nice + system + irq + soft, idle: idle + wait };
}

import { spawn } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { Fault, type Logger } from '../base/index.ts';
import {
  type HandedPort,
  type HeldTickets,
  handOver,
  takesOver,
  ticketsFromText,
  ticketsToText,
} from '../edge/index.ts';

const SERVES = 'serves';
// It is said as soon as the process is there; one of an earlier version says nothing.
const TICKETS_WITHIN_MS = 1_000;

export interface Predecessor {
  readonly command: 'proxy' | 'up';
  /** What follows the command. */
  readonly argv: readonly string[];
  sockets(): HandedPort[];
  tickets(): HeldTickets;
  /** Of what two processes cannot have at once. */
  letGo(): Promise<void>;
  takeBack(): Promise<void>;
}

/**
 * Starts the program anew, as it is on disk now, on the sockets of this process, which stay open throughout: no
 * connection is refused. Resolves with its process id when it serves; when it does not get there, this process goes on.
 */
export async function startSuccessor(given: Predecessor, log: Logger): Promise<number> {
  const { fds, env } = handOver(given.sockets());
  const { GATEHOUSE_BIN, LISTEN_PID: _, ...rest } = process.env;
  const command = GATEHOUSE_BIN === undefined ? [process.execPath, process.argv[1]!] : [GATEHOUSE_BIN];
  const [program = '', ...first] = command;
  await given.letGo();
  const child = spawn(program, [...first, given.command, ...given.argv], {
    stdio: ['inherit', 'inherit', 'inherit', ...fds, 'ipc'],
    env: { ...rest, ...env },
  });
  try {
    await new Promise<void>((resolve, reject) => {
      child.once('message', (message) => message === SERVES && resolve());
      child.once('error', reject);
      child.once('exit', (code, signal) => reject(notThere(`it ended (${signal ?? code})`)));
      child.send(ticketsToText(given.tickets()), () => {});
    });
  } catch (error) {
    await given.takeBack().catch((again: unknown) => log.error({ err: again }, 'what was let go of is not back'));
    throw error;
  }
  child.disconnect();
  child.unref();
  return child.pid!;
}

const notThere = (how: string) =>
  new Fault({
    code: 'upgrade_failed',
    detail: `the new process did not get to serve: ${how}; this one goes on`,
    party: 'operator',
    retry: 'never',
    advice: 'what it printed says why; mend that and send SIGUSR2 again',
  });

/** The keys of the process that this one takes over from, so that its clients need no full handshake. */
export async function inheritedTickets(env: NodeJS.ProcessEnv): Promise<HeldTickets | undefined> {
  if (!takesOver(env) || process.send === undefined) return undefined;
  const told = new Promise<string>((resolve) => process.once('message', (message) => resolve(String(message))));
  return ticketsFromText(await Promise.race([told, delay(TICKETS_WITHIN_MS, '', { ref: false })]));
}

/** Lets the process before us know that it may go. */
export function tellPredecessor(env: NodeJS.ProcessEnv): void {
  if (!takesOver(env) || process.send === undefined) return;
  process.send(SERVES, () => process.disconnect?.());
}

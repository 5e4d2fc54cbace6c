import { spawn } from 'node:child_process';
import { Fault, type Logger } from '../../base/index.ts';
import { handOver, type RunningProxy, takesOver } from '../../edge/index.ts';

const SERVES = 'serves';

/**
 * Starts the program anew, as it is on disk now, on the sockets of this process, which stay open throughout: no
 * connection is refused. Resolves with its process id when it serves; when it does not get there, this process goes on.
 */
export async function startSuccessor(proxy: RunningProxy, argv: readonly string[], log: Logger): Promise<number> {
  const { fds, env } = handOver(proxy.sockets());
  const { GATEHOUSE_BIN, LISTEN_PID: _, ...rest } = process.env;
  const command = GATEHOUSE_BIN === undefined ? [process.execPath, process.argv[1]!] : [GATEHOUSE_BIN];
  const [program = '', ...first] = command;
  await proxy.releaseCaches();
  const child = spawn(program, [...first, 'proxy', ...argv], {
    stdio: ['inherit', 'inherit', 'inherit', ...fds, 'ipc'],
    env: { ...rest, ...env },
  });
  try {
    await new Promise<void>((resolve, reject) => {
      child.once('message', (message) => message === SERVES && resolve());
      child.once('error', reject);
      child.once('exit', (code, signal) => reject(notThere(`it ended (${signal ?? code})`)));
    });
  } catch (error) {
    await proxy.takeCaches().catch((again: unknown) => log.error({ err: again }, 'certificates are not kept any more'));
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

/** Lets the process before us know that it may go. */
export function tellPredecessor(env: NodeJS.ProcessEnv): void {
  if (!takesOver(env) || process.send === undefined) return;
  process.send(SERVES, () => process.disconnect?.());
}

import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { Fault } from '../../base/index.ts';

/** What an agent does to the machine it runs on; a test brings another machine. */
export interface Machine {
  /** Throws a `Fault` with what the program said. `input` goes to its standard input. */
  run(program: string, argv: readonly string[], input?: string): Promise<string>;
  /** Whether the kernel forwards packets of each family. */
  forwarding(): { readonly ipv4: boolean; readonly ipv6: boolean };
}

const TIME_LIMIT_MS = 30_000;

/** This machine; or, with words before every command (`ip netns exec NAME`), a part of it. */
export const createMachine = (before: readonly string[] = []): Machine => ({
  run: (program, argv, input) =>
    new Promise((resolve, reject) => {
      const [first = program, ...rest] = [...before, program, ...argv];
      const options = { timeout: TIME_LIMIT_MS, maxBuffer: 16 * 1024 * 1024 };
      const child = execFile(first, rest, options, (error, stdout, stderr) => {
        if (error === null) return resolve(stdout);
        const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
        const detail = missing
          ? `${program} is not installed here`
          : `${program} ${argv.join(' ')}: ${stderr.trim().slice(0, 2000) || error.message}`;
        reject(new Fault({ code: 'command_failed', detail, party: 'operator', retry: 'backoff' }, error));
      });
      child.stdin?.on('error', () => {});
      child.stdin?.end(input);
    }),
  forwarding() {
    const on = (path: string) => {
      try {
        return readFileSync(path, 'utf8').trim() === '1';
      } catch {
        return false;
      }
    };
    return { ipv4: on('/proc/sys/net/ipv4/ip_forward'), ipv6: on('/proc/sys/net/ipv6/conf/all/forwarding') };
  },
});

/** Every interface and the addresses that it has. */
export async function interfaces(machine: Machine): Promise<{ name: string; hosts: string[] }[]> {
  const links = JSON.parse(await machine.run('ip', ['-j', 'addr', 'show'])) as {
    ifname?: string;
    addr_info?: { local?: string }[];
  }[];
  return links.map(({ ifname = '', addr_info = [] }) => ({
    name: ifname,
    hosts: addr_info.flatMap(({ local }) => local ?? []),
  }));
}

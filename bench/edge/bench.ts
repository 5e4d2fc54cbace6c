import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTestAuthority } from '../../test/fixtures/certificate.ts';
import { freePort } from '../../test/fixtures/temporary.ts';
import { type Backend, startBackend } from './backend.ts';
import { BOTH_CORES, coreTicks, cpuMs, LOAD_CORE, SERVER_CORE, start } from './processes.ts';
import { FIND, type ServerName } from './servers/index.ts';
import type { CertificateFiles, Server, Setting } from './servers/setting.ts';
import { type Bench, CannotDo, type Needs, type RunningServer } from './work.ts';

// What Node.js compiles for the machine while it serves is done by then; of what it does for weeks, that is nothing.
const WARM_SECONDS = 3;

export interface OpenBench extends Bench {
  close(): Promise<void>;
}

export function openBench(seconds: number): OpenBench {
  const directory = mkdtempSync(join(tmpdir(), 'gatehouse-bench-'));
  const authority = createTestAuthority();
  const issued: CertificateFiles[] = [];
  const issue = (names: string[]): CertificateFiles => {
    const { cert, key } = authority.issue(names);
    const path = (kind: string) => join(directory, `${issued.length}.${kind}`);
    writeFileSync(path('cert'), cert);
    writeFileSync(path('key'), key, { mode: 0o600 });
    writeFileSync(path('both'), cert + key, { mode: 0o600 });
    return { names, cert: path('cert'), key: path('key'), both: path('both') };
  };
  const certificates = (count: number) => {
    while (issued.length < count)
      issued.push(issue(issued.length === 0 ? ['127.0.0.1', 'shop.example.com'] : [`n${issued.length}.example.com`]));
    return issued.slice(0, count);
  };
  const servers = new Map<ServerName, Server | undefined>();
  const known = new Map<string, Promise<number>>();
  const backends = new Map<string, Promise<Backend>>();
  const backendOn = (cores: string) => {
    const home = join(directory, `backend-${cores}`);
    mkdirSync(home, { recursive: true });
    const found = backends.get(cores) ?? startBackend(home, cores);
    backends.set(cores, found);
    return found;
  };
  const settingFor = async (needs: Needs): Promise<Setting> => {
    const backend = await backendOn(coresOf(needs).load);
    return {
      directory: mkdtempSync(join(directory, 'server-')),
      port: await freePort(),
      backend: backend.http,
      backendH2c: backend.h2c,
      backendEcho: backend.echo,
      certificates: certificates(needs.certificates ?? 1),
      upstream: needs.upstream ?? 'http',
      cores: needs.together ?? 1,
    };
  };

  return {
    seconds,
    certificates,
    once(key, make) {
      const found = known.get(key) ?? make();
      known.set(key, found);
      return found;
    },
    upstream: async () => `http://127.0.0.1:${(await backendOn(LOAD_CORE)).http}`,
    async withServer(name, needs, use) {
      if (!servers.has(name)) servers.set(name, FIND[name]());
      const setting = await settingFor(needs);
      const command = servers.get(name)?.(setting);
      if (command === undefined) throw new CannotDo();
      const running = await start(coresOf(needs).server, command, setting.port);
      try {
        return await use({ ...running, port: setting.port, under: under(setting.port, running.pid, seconds) });
      } finally {
        await running.stop();
        rmSync(setting.directory, { recursive: true, force: true });
      }
    },
    async close() {
      for (const backend of backends.values()) await (await backend).stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function coresOf({ together }: Needs): { server: string; load: string } {
  if (together === undefined) return { server: SERVER_CORE, load: LOAD_CORE };
  const cores = together === 1 ? SERVER_CORE : BOTH_CORES;
  return { server: cores, load: cores };
}

const under =
  (port: number, pid: number, seconds: number): RunningServer['under'] =>
  async (load) => {
    await load(port, WARM_SECONDS, () => {});
    const read = () => ({ server: cpuMs(pid), load: coreTicks(LOAD_CORE) });
    let before = read();
    let begun = false;
    const outcome = await load(port, seconds, () => {
      if (!begun) before = read();
      begun = true;
    });
    const after = read();
    const busy = after.load.busy - before.load.busy;
    const loadBusy = busy / (busy + after.load.idle - before.load.idle);
    if (outcome.count === undefined) return { ...outcome, loadBusy };
    return { ...outcome, loadBusy, cpuUs: ((after.server - before.server) * 1000) / outcome.count };
  };

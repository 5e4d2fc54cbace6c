import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { startDnsServer } from '../../test/fixtures/dns-server.ts';
import { needGoProgram } from '../../test/fixtures/go.ts';
import { startPebble } from '../../test/fixtures/pebble.ts';
import { answers, startPeer } from '../../test/fixtures/peer.ts';
import { startPostgres } from '../../test/fixtures/postgres.ts';
import { freePort } from '../../test/fixtures/temporary.ts';

export interface BenchGround {
  readonly work: string;
  after(cleanup: () => unknown): void;
}

export interface PeerServer {
  readonly directory: string;
  /** PEM that its HTTPS is checked with. */
  readonly ca: string;
  readonly httpPort: number;
  readonly pid: number;
}

/** Fixtures are written for tests; what a test would skip is an error here. */
const contextOf = ({ after }: BenchGround): TestContext =>
  ({
    after,
    skip: (reason: string) => {
      throw new Error(reason);
    },
  }) as unknown as TestContext;

/** A program that runs another on core 0, with one processor for Go. */
function onCore0(ground: BenchGround, name: string, program: string): string {
  const wrapper = join(ground.work, name);
  writeFileSync(wrapper, `#!/bin/sh\nGOMAXPROCS=1 exec taskset -c 0 ${program} "$@"\n`);
  chmodSync(wrapper, 0o755);
  return wrapper;
}

/** Pebble on one core, with everything off that it does to be difficult. */
export async function startPinnedPebble(ground: BenchGround): Promise<PeerServer> {
  const running = await startPebble(contextOf(ground), { program: onCore0(ground, 'pebble', 'pebble') });
  if (running === undefined) throw new Error('pebble is not installed');
  const { directory, caPem, httpPort, process } = running;
  return { directory, ca: caPem, httpPort, pid: process.pid };
}

/** PostgreSQL on core 0 beside our server, waiting for the disk as it does by default. */
export async function startDurablePostgres(ground: BenchGround): Promise<string> {
  const url = await startPostgres(contextOf(ground), { durable: true, core: 0 });
  if (url === undefined) throw new Error('PostgreSQL is not installed');
  return url;
}

/** step-ca with its ACME provisioner on its embedded database, on one core. */
export async function startStepCa(ground: BenchGround): Promise<PeerServer> {
  const program = needGoProgram(
    contextOf(ground),
    'step-ca',
    'github.com/smallstep/certificates/cmd/step-ca',
    'v0.30.2',
  )!;
  const home = join(ground.work, 'step-ca');
  mkdirSync(home);
  makeHierarchy(home);
  const [port, httpPort] = [await freePort(), await freePort()];
  const dns = await startDnsServer(ground, { everyAddress: '127.0.0.1' });
  writeFileSync(
    join(home, 'ca.json'),
    JSON.stringify({
      root: join(home, 'root.pem'),
      crt: join(home, 'intermediate.pem'),
      key: join(home, 'intermediate.key'),
      address: `127.0.0.1:${port}`,
      dnsNames: ['localhost'],
      db: { type: 'badgerv2', dataSource: join(home, 'db') },
      authority: { provisioners: [{ type: 'ACME', name: 'bench' }] },
    }),
  );
  const { pid } = await startPeer(
    ground,
    onCore0(ground, 'run-step-ca', program),
    [join(home, 'ca.json'), '--insecure', '--acme-http-port', String(httpPort), '--resolver', dns.address],
    { log: join(home, 'log'), ready: () => answers(port) },
  );
  const ca = readFileSync(join(home, 'root.pem'), 'utf8');
  return { directory: `https://localhost:${port}/acme/bench/directory`, ca, httpPort, pid };
}

/** A root and an intermediate of P-256, as PEM files. */
function makeHierarchy(home: string): void {
  if (existsSync(join(home, 'root.pem'))) return;
  const openssl = (...rest: string[]) => execFileSync('openssl', rest, { cwd: home, stdio: 'pipe' });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  const extensions = [
    '-addext',
    'basicConstraints=critical,CA:true',
    '-addext',
    'keyUsage=critical,keyCertSign,cRLSign',
  ];
  openssl('req', '-x509', ...key, '-keyout', 'root.key', '-out', 'root.pem', '-subj', '/CN=Bench Root', ...extensions);
  const issued = ['-CA', 'root.pem', '-CAkey', 'root.key', '-keyout', 'intermediate.key', '-out', 'intermediate.pem'];
  openssl('req', '-x509', ...key, ...issued, '-subj', '/CN=Bench Intermediate', ...extensions);
}

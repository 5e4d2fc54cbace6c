// npm run bench:domains [-- NAMES]: time from `POST /domains` to the first good HTTPS answer, on loopback, beside Caddy's
// on-demand TLS with the same CA (the ACME server of the same `gatehouse up`): there the clock starts with the handshake
// that asks for the name, since nothing is told to Caddy before.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { startGatehouse } from '../test/fixtures/gatehouse.ts';
import { answers, needProgram, startPeer } from '../test/fixtures/peer.ts';
import { freePort, temporaryDirectory } from '../test/fixtures/temporary.ts';

const NAMES = Number(process.argv[2] ?? 200);

function get(port: number, host: string, ca: Buffer): Promise<number> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      { host: '127.0.0.1', port, servername: host, headers: { host }, ca, agent: false, timeout: 10_000 },
      (response) => {
        response.resume();
        response.on('end', () => resolve(response.statusCode!));
      },
    );
    outgoing.on('timeout', () => outgoing.destroy(new Error('timeout')));
    outgoing.on('error', reject).end();
  });
}

/** Asks as fast as answers come, since a person's browser does not know when to ask. */
async function firstGoodAnswer(port: number, host: string, ca: Buffer): Promise<void> {
  for (let tries = 0; tries < 5_000; tries++) {
    if ((await get(port, host, ca).catch(() => 0)) === 200) return;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  throw new Error(`${host} was not served`);
}

const at = (sorted: number[], share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
function summary(times: number[]): string {
  const sorted = times.toSorted((a, b) => a - b);
  return `p50 ${at(sorted, 0.5).toFixed(1)} ms, p90 ${at(sorted, 0.9).toFixed(1)} ms, p99 ${at(sorted, 0.99).toFixed(1)} ms`;
}

async function startUpstream(t: TestContext): Promise<string> {
  const server = createServer((_, response) => response.end('ok'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test(`from POST /domains to the first good answer, ${NAMES} names`, { timeout: 600_000 }, async (t) => {
  const upstream = await startUpstream(t);
  const [caddyHttps, caddyHttp, caddyAdmin] = [await freePort(), await freePort(), await freePort()];
  const gatehouse = await startGatehouse(t);
  const { api, admin_token: token, ca_root_file: root, edge_https, acme_directory } = gatehouse.ready;
  const ca = readFileSync(root);
  const call = async (method: string, path: string, body?: object) => {
    const answer = await fetch(`${api}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return JSON.parse(text) as { data: { certificate?: { id: string } | null } };
  };
  await call('POST', '/apps', { id: 'bench', upstreams: [upstream] });
  const port = Number(new URL(edge_https).port);
  const ours: number[] = [];
  const posted: number[] = [];
  for (let i = -5; i < NAMES; i++) {
    const domain = `bench${i < 0 ? `-warm${-i}` : i}.localhost`;
    const start = performance.now();
    await call('POST', '/apps/bench/domains', { domain });
    const answered = performance.now();
    await firstGoodAnswer(port, domain, ca);
    if (i < 0) continue;
    posted.push(answered - start);
    ours.push(performance.now() - start);
  }
  console.log(`Gatehouse: ${summary(ours)} (of it the answer to POST: ${summary(posted)})`);
  await printSteps(call, `bench${NAMES - 1}.localhost`);

  const caddy = needProgram(t, 'caddy');
  if (caddy === undefined) return;
  // The CA looks where Caddy listens: a profile of its own with Caddy's ports.
  await call('POST', '/system/acme_profiles', {
    id: 'caddy',
    auth_mode: 'challenge',
    validation: { http_port: caddyHttp, tls_port: caddyHttps, allowed_cidrs: ['127.0.0.0/8', '::1/128'] },
    names: { allow: ['*.localhost'] },
  });
  const scratch = temporaryDirectory(t);
  const data = join(scratch, 'data');
  mkdirSync(data);
  writeFileSync(
    join(scratch, 'Caddyfile'),
    `{
  admin 127.0.0.1:${caddyAdmin}
  http_port ${caddyHttp}
  https_port ${caddyHttps}
  storage file_system ${data}
  on_demand_tls {
    ask ${upstream}
  }
}
https:// {
  bind 127.0.0.1
  tls {
    on_demand
    issuer acme {
      dir ${acme_directory.replace(/\/acme\/.*$/, '/acme/profile/caddy/directory')}
      trusted_roots ${root}
    }
  }
  reverse_proxy ${upstream.replace('http://', '')}
}
`,
  );
  await startPeer(t, caddy, ['run', '--config', join(scratch, 'Caddyfile'), '--adapter', 'caddyfile'], {
    log: join(scratch, 'caddy.log'),
    ready: () => answers(caddyHttps),
    env: { XDG_DATA_HOME: scratch, XDG_CONFIG_HOME: scratch, HOME: scratch },
  });
  const theirs: number[] = [];
  for (let i = -5; i < NAMES; i++) {
    const domain = `caddy${i < 0 ? `-warm${-i}` : i}.localhost`;
    const start = performance.now();
    await firstGoodAnswer(caddyHttps, domain, ca);
    if (i >= 0) theirs.push(performance.now() - start);
  }
  console.log(`Caddy, on demand: ${summary(theirs)}`);
});

/** Where the time of one certificate went, by its own history. */
async function printSteps(
  call: (method: string, path: string) => Promise<{ data: unknown }>,
  domain: string,
): Promise<void> {
  const { certificate } = (await call('GET', `/apps/bench/domains/${domain}`)).data as { certificate: { id: string } };
  const { data } = await call('GET', `/system/acme_certificates/${certificate.id}/events`);
  const events = data as { at: string; step: string; detail: string }[];
  const first = Date.parse(events[0]?.at ?? '');
  for (const { at, step, detail } of events)
    console.log(`  +${String(Date.parse(at) - first).padStart(4)} ms  ${step}: ${detail.slice(0, 100)}`);
}

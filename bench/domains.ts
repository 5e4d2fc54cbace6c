// npm run bench:domains [-- NAMES [alone]]: time from `POST /domains` to the first good HTTPS answer, on loopback; the same on
// demand, from the first handshake for a name that was claimed before; and beside both Caddy's on-demand TLS with the same
// CA (the ACME server of the same `gatehouse up`), from the first handshake, since nothing is told to Caddy before. The
// three take turns, name by name.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { type RunningGatehouse, startGatehouse } from '../test/fixtures/gatehouse.ts';
import { answers, needProgram, startPeer } from '../test/fixtures/peer.ts';
import { freePort, temporaryDirectory } from '../test/fixtures/temporary.ts';

const NAMES = Number(process.argv[2] ?? 200);
const WARM = 10;
// Caddy's library begins ten orders in ten seconds and lets the rest wait, which is no part of what is measured here.
const CADDY_PACE_MS = 1_010;

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
    await setTimeout(2);
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

/** Waits for the webhook that says that a domain is issued. */
async function startReceiver(t: TestContext, call: Call): Promise<(domain: string) => Promise<void>> {
  const issued = new Set<string>();
  let came = () => {};
  const server = createServer(async (request, response) => {
    const { data } = JSON.parse(Buffer.concat(await request.toArray()).toString()) as {
      data: { domain: string; tls_status: string };
    };
    response.writeHead(204).end();
    if (data.tls_status === 'issued') issued.add(data.domain);
    came();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  await call('POST', '/webhooks', { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` });
  return async (domain) => {
    while (!issued.has(domain))
      await new Promise<void>((resolve) => {
        came = resolve;
      });
  };
}

test(`from POST /domains to the first good answer, ${NAMES} names`, { timeout: 600_000 }, async (t) => {
  const upstream = await startUpstream(t);
  const gatehouse = await startGatehouse(t, {
    config: `
edge: { https_port: 0, http_port: 0, workers: 2 }
api: { port: 0 }
acme_server: { port: 0 }
agents: { port: 0 }
log: { level: warn }
domains: { on_demand: { address_an_hour: 100000, app_an_hour: 100000 } }
`,
  });
  const { ca_root_file: root, edge_https } = gatehouse.ready;
  const ca = readFileSync(root);
  const call = callerOf(gatehouse);
  await call('POST', '/apps', { id: 'bench', upstreams: [upstream] });
  const port = Number(new URL(edge_https).port);
  const caddy = process.argv[3] === 'alone' ? undefined : await startCaddy(t, gatehouse, call, upstream);

  const told = await startReceiver(t, call);
  const times: Record<'posted' | 'told' | 'ours' | 'demanded' | 'caddy', number[]> = {
    posted: [],
    told: [],
    ours: [],
    demanded: [],
    caddy: [],
  };
  const timed = async (into: keyof typeof times, i: number, work: () => Promise<unknown>) => {
    const start = performance.now();
    await work();
    if (i >= 0) times[into].push(performance.now() - start);
  };
  for (let i = -WARM; i < NAMES; i++) {
    const round = caddy === undefined ? undefined : setTimeout(CADDY_PACE_MS);
    const name = (kind: string) => `${kind}${i < 0 ? `-warm${-i}` : i}.localhost`;
    await timed('ours', i, async () => {
      await timed('posted', i, () => call('POST', '/apps/bench/domains', { domain: name('bench') }));
      await firstGoodAnswer(port, name('bench'), ca);
    });
    await timed('told', i, () => told(name('bench')));
    await call('POST', '/apps/bench/domains', { domain: name('demand'), on_demand: true });
    await timed('demanded', i, () => firstGoodAnswer(port, name('demand'), ca));
    if (caddy !== undefined) await timed('caddy', i, () => firstGoodAnswer(caddy, name('caddy'), ca));
    await round;
    if (i > 0 && i % 20 === 0) console.log(`after ${i} of ${NAMES} names: ${summary(times.ours)}`);
  }
  console.log(`Gatehouse, from POST: ${summary(times.ours)}`);
  console.log(`  of it the answer to POST: ${summary(times.posted)}`);
  console.log(`  then until a webhook tells that it is issued: ${summary(times.told)}`);
  console.log(`Gatehouse, on demand: ${summary(times.demanded)}`);
  if (caddy !== undefined) console.log(`Caddy, on demand: ${summary(times.caddy)}`);
  await printSteps(call, times.ours);
});

type Call = (method: string, path: string, body?: object) => Promise<{ data: unknown }>;

function callerOf({ ready: { api, admin_token: token } }: RunningGatehouse): Call {
  return async (method, path, body) => {
    const answer = await fetch(`${api}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return JSON.parse(text) as { data: unknown };
  };
}

/** Its HTTPS port; undefined where there is no Caddy. */
async function startCaddy(t: TestContext, { ready }: RunningGatehouse, call: Call, upstream: string) {
  const caddy = needProgram(t, 'caddy');
  if (caddy === undefined) return undefined;
  const [https, http, admin] = [await freePort(), await freePort(), await freePort()];
  // The CA looks where Caddy listens: a profile of its own with Caddy's ports.
  await call('POST', '/system/acme_profiles', {
    id: 'caddy',
    auth_mode: 'challenge',
    validation: { http_port: http, tls_port: https, allowed_cidrs: ['127.0.0.0/8', '::1/128'] },
    names: { allow: ['*.localhost'] },
  });
  const scratch = temporaryDirectory(t);
  const data = join(scratch, 'data');
  mkdirSync(data);
  writeFileSync(
    join(scratch, 'Caddyfile'),
    `{
  admin 127.0.0.1:${admin}
  http_port ${http}
  https_port ${https}
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
      dir ${ready.acme_directory.replace(/\/acme\/.*$/, '/acme/profile/caddy/directory')}
      trusted_roots ${ready.ca_root_file}
    }
  }
  reverse_proxy ${upstream.replace('http://', '')}
}
`,
  );
  await startPeer(t, caddy, ['run', '--config', join(scratch, 'Caddyfile'), '--adapter', 'caddyfile'], {
    log: join(scratch, 'caddy.log'),
    ready: () => answers(https),
    env: { XDG_DATA_HOME: scratch, XDG_CONFIG_HOME: scratch, HOME: scratch },
  });
  return https;
}

interface Told {
  readonly at: string;
  readonly step: string;
}

/** Where the time went, by the histories of the certificates: the median, and each of the slowest names by itself. */
async function printSteps(call: Call, times: readonly number[]): Promise<void> {
  const all = new Map<string, number[]>();
  const each: { step: string; ms: number }[][] = [];
  for (let i = 0; i < times.length; i++) {
    const { data } = await call('GET', `/apps/bench/domains/bench${i}.localhost`);
    const { certificate } = data as { certificate: { id: string } };
    const events = (await call('GET', `/system/acme_certificates/${certificate.id}/events`)).data as Told[];
    const first = Date.parse(events[0]?.at ?? '');
    // `served` tells of a state, at the time of asking.
    const steps = events
      .filter(({ step }) => step !== 'served')
      .map(({ at, step }) => ({ step, ms: Date.parse(at) - first }));
    for (const { step, ms } of steps) all.set(step, [...(all.get(step) ?? []), ms]);
    each.push(steps);
  }
  console.log('Time from the wish to each step, in the median:');
  for (const [step, values] of all)
    console.log(
      `  +${String(
        at(
          values.toSorted((a, b) => a - b),
          0.5,
        ),
      ).padStart(4)} ms  ${step}`,
    );
  console.log('The slowest:');
  const slowest = times
    .map((ms, i) => ({ ms, i }))
    .toSorted((a, b) => b.ms - a.ms)
    .slice(0, 5);
  for (const { ms, i } of slowest)
    console.log(`  ${ms.toFixed(0)} ms, name ${i}: ${each[i]!.map((one) => `${one.step} +${one.ms}`).join(', ')}`);
}

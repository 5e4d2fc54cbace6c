import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { startGatehouse } from '../../test/fixtures/gatehouse.ts';
import { freePort } from '../../test/fixtures/temporary.ts';
import { countServed, multiplyDomain, publishCopies } from './many.ts';
import { BOTH_CORES, start } from './processes.ts';
import { median } from './table.ts';
import type { Work } from './work.ts';

const CERTIFICATES = 100_000;
const NAMES = 50;
const PUBLISH_WITHIN_MS = 900_000;
const PROGRAM = join(import.meta.dirname, '../../bin/gatehouse');

/** From the start of the process to the first good answer over TLS, and what a name costs that was never asked for. */
export const startWithManyCertificates: Work = {
  name: 'start-100k',
  says: `gatehouse up: from its start to the first answer for one of ${CERTIFICATES} certificates in the store`,
  unit: 'ms',
  better: 'lower',
  rounds: 1,
  servers: ['gatehouse'],
  async measure(bench) {
    const cleanups: (() => unknown)[] = [];
    const t = { after: (cleanup: () => unknown) => void cleanups.push(cleanup) } as unknown as TestContext;
    try {
      const dataDir = await filled(t, await bench.upstream());
      const [https, http, api, acme] = [await freePort(), await freePort(), await freePort(), await freePort()];
      const config = join(dataDir, 'bench.yaml');
      const edge = `edge: { address: 127.0.0.1, https_port: ${https}, http_port: ${http} }`;
      writeFileSync(config, `${edge}\napi: { port: ${api} }\nacme_server: { port: ${acme} }\nagents: { port: 0 }\n`);
      const begun = performance.now();
      const args = ['up', '--config', config, '--data-dir', dataDir];
      const running = await start(BOTH_CORES, { command: PROGRAM, arguments: args }, https);
      try {
        while ((await get(https, nameOf(CERTIFICATES / 2)).catch(() => 0)) !== 200) await delay(5);
        const value = performance.now() - begun;
        return { value, note: await coldAndWarm(https) };
      } finally {
        await running.stop();
      }
    } finally {
      for (const cleanup of cleanups.reverse()) await cleanup();
    }
  },
};

const nameOf = (i: number) => `n${String(i).padStart(6, '0')}.localhost`;

/** A data directory with all of them, as it is left by a `gatehouse up` that has published everything. */
async function filled(t: TestContext, upstream: string): Promise<string> {
  const first = await startGatehouse(t);
  const { api, admin_token: token } = first.ready;
  const post = async (path: string, body: object) => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const answer = await fetch(`${api}/api/v1${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  };
  await post('/apps', { id: 'bench', upstreams: [upstream] });
  await post('/apps/bench/domains', { domain: 'first.localhost' });
  const port = Number(new URL(first.ready.edge_https).port);
  while ((await get(port, 'first.localhost').catch(() => 0)) !== 200) await delay(20);
  await first.stop();
  multiplyDomain(join(first.dataDir, 'gatehouse.db'), CERTIFICATES, (i) => `'n' || ${i} || '.localhost'`);
  publishCopies(first.dataDir, CERTIFICATES, nameOf);
  const second = await startGatehouse(t, { dataDir: first.dataDir });
  const begun = performance.now();
  while (countServed(first.dataDir) < CERTIFICATES) {
    if (performance.now() - begun > PUBLISH_WITHIN_MS) throw new Error('the picture does not fill');
    await delay(500);
  }
  await second.stop();
  return first.dataDir;
}

/** Medians of new connections to names that were never asked for, and to the same names again. */
async function coldAndWarm(port: number): Promise<string> {
  const times = { cold: [] as number[], warm: [] as number[] };
  for (let i = 1; i <= NAMES; i++)
    for (const kind of ['cold', 'warm'] as const) {
      const begun = performance.now();
      await get(port, nameOf(i * 7));
      times[kind].push(performance.now() - begun);
    }
  const [cold, warm] = [median(times.cold) ?? Number.NaN, median(times.warm) ?? Number.NaN];
  const worst = Math.max(...times.cold);
  return `first request to a cold name ${cold.toFixed(2)} ms (worst ${worst.toFixed(2)}), to a warm one ${warm.toFixed(2)} ms`;
}

async function get(port: number, host: string): Promise<number> {
  const options = { host: '127.0.0.1', port, servername: host, headers: { host }, path: '/1k', agent: false as const };
  const outgoing = request({ ...options, rejectUnauthorized: false });
  const answer = once(outgoing, 'response');
  outgoing.end();
  const [response] = await answer;
  response.resume();
  await once(response, 'end');
  return response.statusCode;
}

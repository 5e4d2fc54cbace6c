// kill -9 at any moment, start again: nothing acknowledged is missing, and nothing half issued blocks anything.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { type RunningGatehouse, startGatehouse } from '../fixtures/gatehouse.ts';
import { startSampleUpstream } from '../fixtures/sample-upstream.ts';
import { freePort, temporaryDirectory } from '../fixtures/temporary.ts';

const ROUNDS = 4;
const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 1e9));

test('nothing acknowledged is lost when every process is killed at a random moment', async (t) => {
  t.diagnostic(`seed ${seed}`);
  const random = mulberry32(seed);
  const upstream = await startSampleUpstream(t);
  const dataDir = join(temporaryDirectory(t), 'data');
  const ports = { https: await freePort(), http: await freePort(), api: await freePort(), acme: await freePort() };
  const acknowledged: string[] = [];
  let token: string | undefined;

  for (let round = 0; round < ROUNDS; round++) {
    const gatehouse = await startGatehouse(t, { dataDir, ports, detached: true });
    token ??= gatehouse.ready.admin_token;
    assert.ok(token !== undefined, 'the first start hands out a token');
    if (round > 0) assert.equal(gatehouse.ready.admin_token, undefined, 'only the first start does');
    await assertPresent(gatehouse, token, acknowledged);
    // Five customers add domains until the kill; what is answered before it counts.
    const killAfter = 1 + Math.floor(random() * 12);
    let answered = 0;
    await Promise.all(
      Array.from({ length: 5 }, async (_, customer) => {
        for (let n = 0; ; n++) {
          const name = `d${round}-${customer}-${n}.localhost`;
          const app = `app-${round}-${customer}-${n}`;
          try {
            await call(gatehouse, token!, 'POST', '/apps', { id: app, upstreams: [upstream.url] });
            await call(gatehouse, token!, 'POST', `/apps/${app}/domains`, { domain: name });
          } catch (error) {
            if (error instanceof TypeError) return;
            throw error;
          }
          acknowledged.push(`${app}/domains/${name}`);
          if (++answered === killAfter) gatehouse.killTree();
        }
      }),
    );
    await gatehouse.ended;
  }

  const gatehouse = await startGatehouse(t, { dataDir, ports });
  await assertPresent(gatehouse, token!, acknowledged);
  for (const path of acknowledged) {
    for (;;) {
      const { data } = await call(gatehouse, token!, 'GET', `/apps/${path}`);
      if (data.tls_status === 'issued') break;
      assert.notEqual(data.tls_status, 'failed', JSON.stringify(data));
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
});

async function assertPresent(gatehouse: RunningGatehouse, token: string, paths: readonly string[]): Promise<void> {
  for (const path of paths) await call(gatehouse, token, 'GET', `/apps/${path}`);
}

async function call(gatehouse: RunningGatehouse, token: string, method: string, path: string, body?: object) {
  const response = await fetch(`${gatehouse.ready.api}/api/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, ...(body && { 'content-type': 'application/json' }) },
    body: body && JSON.stringify(body),
  });
  const answer = (await response.json()) as { data: { tls_status?: string }; detail?: string };
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${JSON.stringify(answer)}`);
  return answer;
}

/** A small seeded generator, so that a failing run can be repeated with SEED=… */
function mulberry32(state: number): () => number {
  let a = state;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

// Two replicas on one PostgreSQL, and a CA that only ever reaches the one which did not order: it answers all the same.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { connect, createServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import type { Certificate } from '../../src/contract/index.ts';
import { callerOf, startGatehouse } from '../fixtures/gatehouse.ts';
import { startPebble } from '../fixtures/pebble.ts';
import { startPostgres } from '../fixtures/postgres.ts';
import { until } from '../fixtures/until.ts';

/** A balancer of the plainest kind: what comes to `port` goes to the port that `target` says at that moment. */
async function forward(t: TestContext, port: number, target: () => number): Promise<void> {
  const server = createServer((incoming) => {
    const outgoing = connect({ host: '127.0.0.1', port: target() });
    for (const [from, to] of [
      [incoming, outgoing],
      [outgoing, incoming],
    ] as const) {
      from.pipe(to);
      from.on('error', () => to.destroy());
    }
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  t.after(() => server.close());
}

test('a challenge is answered by whichever replica the CA comes to', async (t) => {
  const url = await startPostgres(t);
  const pebble = url && (await startPebble(t));
  if (pebble === undefined || pebble === '') return;
  const env = { GATEHOUSE_MASTER_KEY: randomBytes(32).toString('base64') };
  const config = `
edge: { https_port: 0, http_port: 0, workers: 1 }
api: { port: 0 }
acme_server: { port: 0 }
agents: { port: 0 }
store: { url: "${url}" }
`;
  const first = await startGatehouse(t, { config, env });
  const second = await startGatehouse(t, { config, env });
  const both = [first, second].map(({ ready }) => ({
    http: Number(new URL(ready.edge_http).port),
    https: Number(new URL(ready.edge_https).port),
  }));
  let chosen = 0;
  await forward(t, pebble.httpPort, () => both[chosen]!.http);
  await forward(t, pebble.tlsPort, () => both[chosen]!.https);
  // The token of the first is good at both.
  const admin = { admin_token: first.ready.admin_token! };
  const callers = [first, second].map(({ ready }) => callerOf({ ready: { ...ready, ...admin } }));
  await callers[0]!('POST', '/system/issuers', {
    id: 'pebble',
    directory: pebble.directory,
    ca_certificate: pebble.caPem,
  });
  for (const challenge of ['http-01', 'tls-alpn-01'])
    for (const [asked, call] of callers.entries()) {
      // Who is asked begins the order, and the CA looks at the other.
      chosen = 1 - asked;
      const wish = { names: [`${challenge}-${asked}.shop.test`], issuers: ['pebble'], challenge };
      const { id } = await call<Certificate>('POST', '/system/acme_certificates', wish);
      const path = `/system/acme_certificates/${id}`;
      let seen: Certificate | undefined;
      await until(`${wish.names} has an outcome`, async () => {
        seen = await call<Certificate>('GET', path);
        return seen.status === 'valid' || seen.status === 'failed';
      });
      assert.equal(seen!.status, 'valid', JSON.stringify(seen));
    }
});

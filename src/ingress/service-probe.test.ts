import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { startPlane } from '../../test/fixtures/edge-plane.ts';
import { createServiceProbe } from './service-probe.ts';

const probe = (port: number) =>
  createServiceProbe().look({
    address: '127.0.0.1',
    port,
    hostname: 'new.example.com',
    protocol: 'http',
    signal: new AbortController().signal,
  });

test('a 403 of the edge, which has no site of the name, is told from one of the service', async (t) => {
  const { port } = await startPlane(t, { routes: [] });
  assert.deepEqual(await probe(port), { connected: true, status: 403, unpublished: true });
  const service = createServer((_request, response) => response.writeHead(403).end('not on the list'));
  await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve));
  t.after(() => service.close());
  assert.deepEqual(await probe((service.address() as { port: number }).port), { connected: true, status: 403 });
});

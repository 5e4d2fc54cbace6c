import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { startNginxBackend, startNodeBackend } from '../fixtures/backends.ts';
import { startPlane, talk } from '../fixtures/edge-plane.ts';
import { oddRequests, readOurs } from '../fixtures/odd-requests.ts';

const HOSTS = ['a.example'];
const LAST = 'GET /last HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n';

for (const start of [startNodeBackend, startNginxBackend])
  test(`what is forwarded is read by ${start === startNodeBackend ? 'Node' : 'nginx'} as by us`, async (t) => {
    const backend = await start(t);
    if (backend === undefined) return;
    const routes = HOSTS.map((host) => ({ id: host, host, path: '/', upstreams: [{ url: backend.url }] }));
    const { port } = await startPlane(t, { routes });
    await fc.assert(
      fc.asyncProperty(oddRequests, async (bytes) => {
        const octets = Buffer.concat([bytes, Buffer.from(LAST)]);
        const ours = readOurs(octets, 'any');
        const text = await talk(port, octets.toString('latin1'));
        const seen = backend.taken();
        // Some are answered by the edge (a host that it does not have); what went on is read as we read it, in order.
        let at = 0;
        for (const { url, body } of seen) {
          while (at < ours.length && !(ours[at]!.target === url && ours[at]!.body === body)) at++;
          assert.ok(at < ours.length, `${backend.name} read ${url} with ${JSON.stringify(body)}`);
          at++;
        }
        const good = text.match(/HTTP\/1\.1 200 /g)?.length ?? 0;
        assert.equal(seen.length, good);
      }),
      { numRuns: 400 },
    );
  });

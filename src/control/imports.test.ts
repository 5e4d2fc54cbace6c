import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { createTestControl } from '../../test/fixtures/control.ts';
import { createVirtualClock } from '../base/index.ts';
import { SYSTEM } from './index.ts';
import { parseImport } from './parse-import.ts';

test('names in bulk: each line has its outcome, and a repetition changes nothing', async () => {
  const clock = createVirtualClock();
  const { control } = await createTestControl(clock);
  await control.apps.create(SYSTEM, { id: 'shop', upstreams: ['http://a'] });
  control.start();
  const names = Array.from({ length: 300 }, (_, i) => `n${i}.localhost`);
  const csv = ['domain,redirect_to', ...names, 'not a name', '"www.localhost",n0.localhost'].join('\n');
  const finish = async (id: string) => {
    for (;;) {
      const seen = await control.imports.get(SYSTEM, 'shop', id);
      if (seen.finished_at !== null) return seen;
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const { id, total } = await control.imports.start(SYSTEM, 'shop', csv);
  assert.equal(total, 302);
  const done = await finish(id);
  assert.deepEqual([done.added, done.kept, done.failed], [301, 0, 1]);
  const failed = await control.imports.lines(SYSTEM, 'shop', id, { outcome: 'failed' });
  assert.deepEqual([failed.data[0]?.line, failed.data[0]?.domain], [302, 'not a name']);
  assert.match(failed.data[0]?.detail ?? '', /host name/);
  const again = await finish((await control.imports.start(SYSTEM, 'shop', csv)).id);
  assert.deepEqual([again.added, again.kept, again.failed], [0, 301, 1]);
  assert.equal((await control.domains.get(SYSTEM, 'shop', 'www.localhost')).redirect_to, 'n0.localhost');
  await control.stop();
});

test('a file of names is read with or without a heading, and refused as a whole when it is none', () => {
  const inputs = (csv: string) => parseImport(csv).map(({ input }) => JSON.parse(input));
  assert.deepEqual(inputs('a.example\r\n\r\n# no\nb.example\n'), [{ domain: 'a.example' }, { domain: 'b.example' }]);
  assert.deepEqual(inputs('route,domain\nno,"a.example"'), [{ domain: 'a.example', route: false }]);
  assert.throws(() => parseImport('domain,colour\na,b'), /no column "colour"/);
  assert.throws(() => parseImport('\n\n'), /no name/);
  assert.throws(() => parseImport('a.example\n'.repeat(10_001)), /more than 10000/);
});

test('changes of a domain are delivered, signed, again after a failure, and after a time when nothing ran', async (t) => {
  const received: { headers: Record<string, string>; body: string }[] = [];
  let failures = 1;
  const receiver = createServer(async (request, response) => {
    const body = Buffer.concat(await request.toArray()).toString();
    // The app's own name is told of, too.
    if (!body.includes('"domain":"shop.localhost"')) return void response.writeHead(204).end();
    received.push({ headers: request.headers as Record<string, string>, body });
    response.writeHead(failures-- > 0 ? 500 : 204).end();
    receiver.emit('received');
  });
  receiver.listen(0, '127.0.0.1');
  await once(receiver, 'listening');
  t.after(() => receiver.close());
  const { port } = receiver.address() as { port: number };
  const clock = createVirtualClock();
  const { control, issued, recordCertificate, views } = await createTestControl(clock);
  await control.apps.create(SYSTEM, { id: 'shop', upstreams: ['http://a'] });
  const { secret } = await control.webhooks.create(SYSTEM, { url: `http://127.0.0.1:${port}/hook` });
  control.start();
  const next = async () => {
    const came = once(receiver, 'received');
    let waiting = true;
    void came.then(() => (waiting = false));
    while (waiting) await clock.advance(1_000);
    return received.at(-1)!;
  };
  const { domain } = await control.domains.add(SYSTEM, 'shop', { domain: 'shop.localhost' });
  const refused = await next();
  const repeated = await next();
  assert.equal(repeated.headers['webhook-id'], refused.headers['webhook-id']);
  const key = Buffer.from(secret.replace('whsec_', ''), 'base64');
  const signed = `${repeated.headers['webhook-id']}.${repeated.headers['webhook-timestamp']}.${repeated.body}`;
  assert.equal(
    repeated.headers['webhook-signature'],
    `v1,${createHmac('sha256', key).update(signed).digest('base64')}`,
  );
  assert.deepEqual(
    [JSON.parse(repeated.body).data.domain, JSON.parse(repeated.body).data.tls_status],
    ['shop.localhost', 'pending'],
  );
  issued(domain.certificate!.id);
  await recordCertificate(domain.certificate!.id);
  assert.equal(JSON.parse((await next()).body).data.tls_status, 'issued');
  await control.stop();
  const { served, ...unserved } = views.get(domain.certificate!.id)!;
  views.set(unserved.id, { ...unserved, status: 'failed' });
  await recordCertificate(unserved.id);
  control.start();
  assert.equal(JSON.parse((await next()).body).data.tls_status, 'failed');
  await control.stop();
});

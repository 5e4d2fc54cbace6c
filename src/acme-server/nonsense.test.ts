import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { test } from 'node:test';
import fc from 'fast-check';
import { startAcmeServer } from '../../test/fixtures/acme-server.ts';
import { seeded } from '../../test/fixtures/properties.ts';
import { b64, RawAcme } from '../../test/fixtures/raw-acme.ts';

const anything = fc.oneof(fc.jsonValue({ maxDepth: 3 }), fc.string({ unit: 'binary', maxLength: 60 }));

test('nonsense in targets, payloads and bindings is a problem of the client, never a failure here', async (t) => {
  const eabOnly = { eab_required: true, auth_mode: 'trust_authenticated' };
  const { directoryUrl, origin, acme: server } = await startAcmeServer(t, { plain: true });
  await server.administration.createProfile({ id: 'bound', ...eabOnly }, 'test');
  const acme = await new RawAcme(directoryUrl).start();
  t.after(() => acme.close());
  await acme.register();
  const stranger = await new RawAcme(`${origin}/acme/profile/bound/directory`).start();
  t.after(() => stranger.close());
  const orderUrl = (await acme.order(['a.localhost'])).headers.location!;
  const order = (await acme.send('GET', orderUrl)).status;
  assert.equal(order, 405);
  const { newAccount, newOrder, newAuthz, revokeCert, keyChange, renewalInfo } = acme.directory;
  const authz = (await acme.post(orderUrl, '')).json.authorizations[0] as string;
  const urls = [
    newAccount,
    newOrder,
    newAuthz,
    revokeCert,
    keyChange,
    acme.kid,
    orderUrl,
    `${orderUrl}/finalize`,
    authz,
  ];
  const hostile = fc.oneof(anything, fc.constantFrom('', 0, null, [], {}, '\0', 'valid', 'deactivate', '__proto__'));
  const member = fc.constantFrom(
    ...['identifiers', 'identifier', 'profile', 'notBefore', 'notAfter', 'replaces', 'csr', 'certificate', 'reason'],
    ...[
      'contact',
      'status',
      'termsOfServiceAgreed',
      'onlyReturnExisting',
      'protected',
      'payload',
      'signature',
      'oldKey',
    ],
  );
  const payload = fc.oneof(
    { weight: 3, arbitrary: fc.dictionary(member, hostile, { maxKeys: 4 }) },
    fc.record({
      identifiers: fc.constant([{ type: 'dns', value: 'b.localhost' }]),
      profile: hostile,
      replaces: hostile,
    }),
    anything,
  );
  const run = seeded(t, 150);
  const isProblem = ({ status, json, text: body }: Awaited<ReturnType<RawAcme['send']>>) => {
    assert.ok(status < 500, body);
    if (status >= 400) assert.match(json.type, /^urn:ietf:params:acme:error:(?!serverInternal)/);
  };
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...urls), payload, async (url, body) => isProblem(await acme.post(url!, body))),
    run,
  );
  const binding = fc.record(
    {
      alg: fc.constantFrom('HS256', 'none'),
      kid: hostile,
      url: fc.constant(stranger.directory.newAccount),
      crit: hostile,
    },
    { requiredKeys: ['alg', 'kid', 'url'] },
  );
  await fc.assert(
    fc.asyncProperty(binding, fc.oneof(fc.constant(stranger.key.jwk), hostile), async (head, jwk) => {
      const [first, second] = [b64(head), b64(jwk)];
      const signature = createHmac('sha256', 'k').update(`${first}.${second}`).digest('base64url');
      const externalAccountBinding = { protected: first, payload: second, signature };
      const answer = await stranger.post(stranger.directory.newAccount!, { externalAccountBinding });
      isProblem(answer);
      assert.ok(answer.status >= 400);
    }),
    { ...run, numRuns: 60 },
  );
  const NUL = await stranger.post(stranger.directory.newAccount!, {
    externalAccountBinding: {
      protected: b64({ alg: 'HS256', kid: 'eab_\0', url: stranger.directory.newAccount }),
      payload: b64(stranger.key.jwk),
      signature: '',
    },
  });
  assert.match(NUL.json.detail, /has no kid/, 'PostgreSQL has no such text');
  const list = `${acme.kid}/orders`;
  for (const after of ['%00', 'x', 'ord_%27', ''])
    assert.equal((await acme.post(`${list}?after=${after}`, '')).status, 400, after);
  assert.equal((await acme.post(`${list}?after=${orderUrl.split('/').at(-1)}`, '')).status, 200);
  const target = fc.stringMatching(/^[!-~]{0,40}$/);
  const { port } = new URL(origin);
  const get = (path: string) =>
    new Promise<number>((resolve, reject) => {
      const asked = httpRequest({ host: '127.0.0.1', port, path, agent: false }, (response) => {
        response.resume().once('end', () => resolve(response.statusCode!));
      });
      asked.once('error', reject).end();
    });
  await fc.assert(
    fc.asyncProperty(
      target,
      fc.constantFrom('/', '//', '/acme/', '/acme/profile/', new URL(`${renewalInfo}/`).pathname),
      async (rest, start) => {
        assert.ok((await get(start + rest)) < 500, start + rest);
      },
    ),
    run,
  );
});

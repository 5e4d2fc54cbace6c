import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import { startAcmeServer } from '../../test/fixtures/acme-server.ts';
import { b64, RawAcme, rawJws, rawKey } from '../../test/fixtures/raw-acme.ts';

const problem = (type: string) => `urn:ietf:params:acme:error:${type}`;

test('every wrong JWS is refused by its own name, and nothing of it is taken', async (t) => {
  const { directoryUrl } = await startAcmeServer(t, { plain: true });
  const acme = await new RawAcme(directoryUrl).start();
  await acme.register();
  const url = acme.directory.newOrder!;
  const good = () => ({ alg: 'ES256', nonce: acme.nonce, url, kid: acme.kid });
  const payload = { identifiers: [{ type: 'dns', value: 'a.localhost' }] };
  const other = rawKey();
  const cases: [name: string, make: () => unknown, expected: string][] = [
    ['not an object', () => [1], 'malformed'],
    ['several signatures', () => ({ payload: '', signatures: [rawJws(acme.key, good(), payload)] }), 'malformed'],
    ['an unprotected header', () => ({ ...rawJws(acme.key, good(), payload), header: {} }), 'malformed'],
    ['padded base64', () => ({ ...rawJws(acme.key, good(), payload), payload: 'e30=' }), 'malformed'],
    [
      'a spelling of base64url that is not canonical',
      () => ({ ...rawJws(acme.key, good(), payload), payload: 'e31' }),
      'malformed',
    ],
    [
      'alg none',
      () => ({ ...rawJws(acme.key, { ...good(), alg: 'none' }, payload), signature: '' }),
      'badSignatureAlgorithm',
    ],
    [
      'a MAC under the public key',
      () => {
        const head = b64({ ...good(), alg: 'HS256' });
        const mac = createHmac('sha256', JSON.stringify(acme.key.jwk))
          .update(`${head}.${b64(payload)}`)
          .digest('base64url');
        return { protected: head, payload: b64(payload), signature: mac };
      },
      'badSignatureAlgorithm',
    ],
    [
      'an algorithm of another key type',
      () => rawJws(acme.key, { ...good(), alg: 'RS256' }, payload),
      'badSignatureAlgorithm',
    ],
    ['ES384 over P-256', () => rawJws(acme.key, { ...good(), alg: 'ES384' }, payload), 'badSignatureAlgorithm'],
    ['crit', () => rawJws(acme.key, { ...good(), crit: ['exp'], exp: 1 }, payload), 'malformed'],
    ['b64 false', () => rawJws(acme.key, { ...good(), b64: false }, payload), 'malformed'],
    ['jwk and kid', () => rawJws(acme.key, { ...good(), jwk: acme.key.jwk }, payload), 'malformed'],
    ['neither jwk nor kid', () => rawJws(acme.key, { ...good(), kid: undefined }, payload), 'malformed'],
    [
      'jwk where kid is due',
      () => rawJws(acme.key, { ...good(), kid: undefined, jwk: acme.key.jwk }, payload),
      'malformed',
    ],
    [
      'a kid of another form',
      () => rawJws(acme.key, { ...good(), kid: acme.kid!.replace('/acme/', '/acme/x/../') }, payload),
      'accountDoesNotExist',
    ],
    [
      'a kid of another host',
      () => rawJws(acme.key, { ...good(), kid: acme.kid!.replace('localhost', '127.0.0.1') }, payload),
      'accountDoesNotExist',
    ],
    ['no url', () => rawJws(acme.key, { ...good(), url: undefined }, payload), 'malformed'],
    [
      'the url of another resource',
      () => rawJws(acme.key, { ...good(), url: acme.directory.newAccount }, payload),
      'unauthorized',
    ],
    ['the url with a query', () => rawJws(acme.key, { ...good(), url: `${url}?` }, payload), 'unauthorized'],
    ['no nonce', () => rawJws(acme.key, { ...good(), nonce: undefined }, payload), 'badNonce'],
    ['an invented nonce', () => rawJws(acme.key, { ...good(), nonce: 'A'.repeat(22) }, payload), 'badNonce'],
    ['the signature of another key', () => rawJws(other, good(), payload), 'malformed'],
    [
      'an ECDSA signature in DER',
      () => ({ ...rawJws(acme.key, good(), payload), signature: b64('0E\x02') }),
      'malformed',
    ],
    ['a payload that is no object', () => rawJws(acme.key, good(), [1]), 'malformed'],
    ['an empty payload where one is due', () => rawJws(acme.key, good(), ''), 'malformed'],
  ];
  for (const [name, make, expected] of cases) {
    await acme.send('HEAD', acme.directory.newNonce!);
    const answer = await acme.postBody(url, make());
    assert.equal(answer.json?.type, problem(expected), `${name}: ${answer.text}`);
    assert.ok(answer.headers['replay-nonce'], `${name}: an error carries a nonce`);
    assert.match(String(answer.headers['content-type']), /^application\/problem\+json/);
  }
});

test('transport: content type, size and method are checked', async (t) => {
  const { directoryUrl } = await startAcmeServer(t, { plain: true });
  const acme = await new RawAcme(directoryUrl).start();
  const url = acme.directory.newAccount!;
  assert.equal((await acme.postBody(url, {}, 'application/json')).status, 415);
  assert.equal((await acme.postBody(url, ' '.repeat(100 * 1024))).status, 413);
  const get = await acme.send('GET', url);
  assert.equal(get.status, 405);
  assert.equal(get.headers.allow, 'POST');
  assert.equal((await acme.send('GET', `${directoryUrl}/x`)).status, 404);
});

test('a nonce is good once, and an account request with each kind of key is verified', async (t) => {
  const { directoryUrl } = await startAcmeServer(t, { plain: true });
  for (const kind of ['P-256', 'P-384', 'rsa', 'ed25519'] as const) {
    const acme = await new RawAcme(directoryUrl, { key: rawKey(kind) }).start();
    assert.equal((await acme.register()).status, 201, kind);
    await acme.send('HEAD', acme.directory.newNonce!);
    const message = rawJws(acme.key, { alg: acme.key.alg, nonce: acme.nonce, url: acme.kid, kid: acme.kid }, '');
    assert.equal((await acme.postBody(acme.kid!, message)).status, 200, kind);
    assert.equal((await acme.postBody(acme.kid!, message)).json.type, problem('badNonce'), kind);
  }
});

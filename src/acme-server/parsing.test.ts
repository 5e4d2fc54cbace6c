import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import { changedText, seeded } from '../../test/fixtures/properties.ts';
import { rawJws, rawKey } from '../../test/fixtures/raw-acme.ts';
import { ariCertificateId, type Identifier } from '../acme/index.ts';
import { createCertificationRequest, generateKey, parseCertificationRequest } from '../x509/index.ts';
import { parseContacts } from './contact.ts';
import { acceptRequest } from './csr-policy.ts';
import { parseIdentifiers } from './identifiers.ts';
import { decodeBase64url, importAccountKey, parseJws, verifyJws } from './jws.ts';
import { parseProfileSettings } from './profile.ts';
import { refusalOf } from './refusal.ts';
import { parseCertificateId } from './replacement.ts';
import { route } from './router.ts';
import { requestedValidity } from './validity.ts';

/** What the work answers, or undefined where it refuses; any other error is a failure. */
function orRefused<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    const { status, detail } = refusalOf(error).problem;
    if (status! >= 500 || !detail) throw error;
    return undefined;
  }
}

const SETTINGS = parseProfileSettings({});
const text = fc.string({ unit: 'binary', maxLength: 60 });
const anything = fc.oneof(fc.jsonValue({ maxDepth: 3 }), text);

test('a text of base64url has one meaning, and a meaning one text', (t) => {
  const run = seeded(t, 300);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      assert.deepEqual(decodeBase64url(Buffer.from(bytes).toString('base64url')), Buffer.from(bytes));
    }),
    run,
  );
  const near = fc.string({
    unit: fc.constantFrom('A', 'B', 'z', '9', '-', '_', '=', '+', '/', '\n', 'é'),
    maxLength: 9,
  });
  fc.assert(
    fc.property(fc.oneof(anything, near), (input) => {
      const bytes = decodeBase64url(input);
      assert.ok(bytes === undefined || bytes.toString('base64url') === input);
    }),
    run,
  );
});

test('whatever is sent as a JWS is read or refused, and one that was changed is not by the key any more', (t) => {
  const run = seeded(t, 400);
  const key = rawKey();
  const account = importAccountKey(key.jwk);
  const header = fc.record(
    {
      alg: fc.oneof(fc.constantFrom('ES256', 'EdDSA', 'none', '__proto__', 'toString'), anything),
      url: fc.oneof(fc.constant('https://ca.test/acme/new-order'), anything),
      nonce: fc.oneof(fc.constant('AAAA'), anything),
      kid: anything,
      jwk: fc.oneof(
        fc.constant(key.jwk),
        fc.record(
          {
            kty: fc.oneof(fc.constantFrom('EC', 'OKP', 'RSA', 'oct'), anything),
            crv: fc.oneof(fc.constantFrom('P-256', 'P-384', 'P-521', 'Ed25519', 'X25519', 'secp256k1'), anything),
            ...Object.fromEntries(
              ['x', 'y', 'n', 'e', 'd'].map((name) => [
                name,
                fc.oneof(
                  fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes).toString('base64url')),
                  anything,
                ),
              ]),
            ),
          },
          { requiredKeys: ['kty'] },
        ),
        anything,
      ),
      crit: anything,
    },
    { requiredKeys: ['alg', 'url'] },
  );
  fc.assert(
    fc.property(fc.oneof(header, anything), anything, (head, payload) => {
      for (const nonce of ['required', 'absent'] as const) {
        const jws = orRefused(() => parseJws(rawJws(key, head as object, payload), { nonce }));
        if (jws === undefined) continue;
        const named = jws.header.key;
        if (named.kind === 'jwk') orRefused(() => verifyJws(jws, importAccountKey(named.jwk)));
        assert.equal('crit' in (head as object), false);
      }
      orRefused(() => parseJws(head));
      orRefused(() => parseJws({ protected: head, payload, signature: '' }));
    }),
    run,
  );
  const good = rawJws(key, { alg: key.alg, nonce: 'AAAA', url: 'https://ca.test/', jwk: key.jwk }, { a: 1 });
  verifyJws(parseJws(good), account);
  const member = fc.constantFrom('protected', 'payload', 'signature') as fc.Arbitrary<keyof typeof good>;
  fc.assert(
    fc.property(
      member.chain((name) => changedText(good[name]).map((value) => ({ ...good, [name]: value }))),
      (message) => {
        const accepted = orRefused(() => {
          verifyJws(parseJws(message), account);
          return true;
        });
        if (accepted) assert.deepEqual(message, good);
      },
    ),
    run,
  );
});

test('header members nested as deep as they fit are refused like any other', () => {
  const deep = '['.repeat(4000) + ']'.repeat(4000);
  const head = Buffer.from(`{"alg":${deep}}`).toString('base64url');
  assert.equal(
    orRefused(() => parseJws({ protected: head, payload: '', signature: '' })),
    undefined,
  );
});

test('identifiers are read into one canonical form, or refused', (t) => {
  const run = seeded(t, 400);
  const word = fc.string({ unit: fc.constantFrom(...'aZ0-.*_:%éßK。 \0'), maxLength: 20 });
  const value = fc.oneof(
    text,
    word,
    fc.domain(),
    fc.domain().map((name) => `*.${name.toUpperCase()}`),
    fc.domain().map((name) => `xn--${name}`),
    fc.ipV4Extended(),
    fc.ipV6(),
    anything,
  );
  const type = fc.oneof({ weight: 4, arbitrary: fc.constantFrom('dns', 'ip') }, anything);
  fc.assert(
    fc.property(fc.oneof(fc.array(fc.record({ type, value }), { maxLength: 3 }), anything), (input) => {
      const identifiers = orRefused(() => parseIdentifiers(input, SETTINGS));
      if (identifiers === undefined) return;
      assert.deepEqual(parseIdentifiers(identifiers, SETTINGS), identifiers);
      for (const identifier of identifiers) assert.match(identifier.value, /^(\*\.)?[a-z0-9.:-]{1,253}$/);
    }),
    run,
  );
  const address = fc.oneof(fc.ipV6(), fc.ipV4());
  fc.assert(
    fc.property(address, (given) => {
      const [found] = orRefused(() => parseIdentifiers([{ type: 'ip', value: given }], SETTINGS)) ?? [];
      if (found === undefined) return;
      assert.deepEqual(ipaddr.parse(found.value).toByteArray(), ipaddr.parse(given).toByteArray());
      // As another reader of addresses writes it (RFC 5952).
      if (given.includes(':')) assert.equal(`[${found.value}]`, new URL(`http://[${given}]/`).hostname);
    }),
    run,
  );
});

test('a contact that is taken is one address with nothing hidden in it', (t) => {
  const run = seeded(t, 400);
  const contact = fc.oneof(
    fc.tuple(text, text).map(([local, domain]) => `mailto:${local}@${domain}`),
    fc.emailAddress().map((address) => `mailto:${address}`),
    changedText('mailto:admin@shop.example.com'),
    anything,
  );
  fc.assert(
    fc.property(fc.oneof(fc.array(contact, { maxLength: 11 }), anything), (input) => {
      const taken = orRefused(() => parseContacts(input));
      if (taken === undefined) return;
      assert.deepEqual(taken, input);
      for (const one of taken) assert.match(one, /^mailto:[^@\s,?\p{C}]+@[^@\s,?/:%#[\]\p{C}]+$/iu);
    }),
    run,
  );
  for (const [wrong, why] of [
    ['mailto:a@evil.example/path', /no domain/],
    ['mailto:a@evil.example#x', /no domain/],
    ['mailto:a@b%2eexample', /no domain/],
    ['mailto:a@[::1]', /no domain/],
    ['mailto:a\0b@b.example', /no address/],
    ['mailto:a\u202eb@b.example', /no address/],
  ] as const)
    assert.throws(() => parseContacts([wrong]), { message: why }, wrong);
  assert.deepEqual(parseContacts(['mailto:admin+1@bücher.example']), ['mailto:admin+1@bücher.example']);
});

test('a time that is taken is the one that was written', (t) => {
  const run = seeded(t, 400);
  const now = Date.UTC(2026, 1, 1);
  const day = 86_400_000;
  const read = (notAfter: unknown) =>
    orRefused(() =>
      requestedValidity({ notAfter }, { ...SETTINGS, max_ttl_seconds: 90 * 86_400 }, now + 900 * day, now),
    );
  const time = fc.oneof(
    fc.date({ min: new Date(now), max: new Date(now + 90 * day), noInvalidDate: true }).map((at) => at.toISOString()),
    changedText('2026-02-28T12:00:00Z'),
    fc
      .tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 31 }), fc.nat(24))
      .map(([m, d, h]) => `2026-0${m}-${String(d).padStart(2, '0')}T${String(h).padStart(2, '0')}:00:00Z`),
    anything,
  );
  fc.assert(
    fc.property(time, (given) => {
      const until = read(given)?.notAfter;
      if (until === undefined || !String(given).endsWith('Z')) return;
      assert.equal(new Date(until).toISOString().slice(0, 19), String(given).slice(0, 19));
    }),
    run,
  );
  for (const wrong of ['2026-02-30T00:00:00Z', '2026-02-28T24:00:00Z', '2026-02-28T00:00Z', '2026-02-28T00:00:00'])
    assert.equal(read(wrong), undefined, wrong);
  assert.equal(read('2026-02-28T01:00:00+02:00')?.notAfter, Date.UTC(2026, 1, 27, 23));
});

test('a certificate identifier is read as it was written, and by no other spelling', (t) => {
  const run = seeded(t, 300);
  const bytes = fc.uint8Array({ minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(bytes, bytes, (keyId, serial) => {
      const found = parseCertificateId(ariCertificateId(keyId, serial));
      assert.deepEqual(found, { keyId: Buffer.from(keyId), serial: Buffer.from(serial).toString('hex') });
    }),
    run,
  );
  fc.assert(
    fc.property(fc.oneof(changedText('aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE'), anything), (given) => {
      const found = orRefused(() => parseCertificateId(given));
      if (found) assert.equal(ariCertificateId(found.keyId, Buffer.from(found.serial, 'hex')), given);
    }),
    run,
  );
});

test('a request is for exactly the names of its order, each as what it is', async (t) => {
  const run = seeded(t, 150);
  const key = await generateKey('ec-p256');
  const names = fc.uniqueArray(
    fc.constantFrom('a.example.com', 'b.example.com', '*.example.com', '192.0.2.7', '2001:db8::1'),
    {
      minLength: 1,
    },
  );
  const asIdentifiers = (list: readonly string[]) =>
    list.map((value): Identifier => ({ type: /^[\d.]+$|:/.test(value) ? 'ip' : 'dns', value }));
  fc.assert(
    fc.property(names, names, (asked, ordered) => {
      const csr = parseCertificationRequest(createCertificationRequest(asked, key));
      const accepted = orRefused(() => acceptRequest(csr, asIdentifiers(ordered), SETTINGS));
      assert.equal(accepted !== undefined, [...asked].sort().join() === [...ordered].sort().join());
    }),
    run,
  );
  const csr = parseCertificationRequest(createCertificationRequest(['kitten.example.com'], key));
  const order = asIdentifiers(['kitten.example.com']);
  const asks = (more: object, identifiers = order) =>
    orRefused(() => acceptRequest({ ...csr, ...more }, identifiers, SETTINGS));
  assert.ok(asks({ commonNames: ['KITTEN.example.com'] }));
  assert.equal(asks({ commonNames: ['\u212aitten.example.com'] }), undefined, 'a KELVIN SIGN is no k');
  const address = asIdentifiers(['192.0.2.7']);
  assert.equal(
    asks({ names: { dns: ['192.0.2.7'], ip: [], others: [] } }, address),
    undefined,
    'an address as a DNS name',
  );
  assert.ok(asks({ names: { dns: [], ip: ['192.0.2.7'], others: [] } }, address));
});

test('every path leads to one resource or to none', (t) => {
  const segment = fc.oneof(
    fc.constantFrom(
      'acme',
      'profile',
      'default',
      'order',
      'authz',
      'account',
      'orders',
      'certificate',
      '..',
      '.',
      '',
      '*',
    ),
    text,
  );
  fc.assert(
    fc.property(fc.array(segment, { maxLength: 7 }), (segments) => {
      const found = route(`/${segments.join('/')}`);
      for (const parameter of found?.parameters ?? []) assert.match(parameter, /^[\w.-]{1,200}$/);
    }),
    seeded(t, 500),
  );
});

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash, createPrivateKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryDirectory } from '../../test/fixtures/temporary.ts';
import { createVirtualClock } from '../base/index.ts';
import { createSealedSecretStore, createSealer } from '../secrets/index.ts';
import { openMemoryStore } from '../store/index.ts';
import { parsePem, pemOf } from '../x509/index.ts';
import { createCertificateAuthority, type HierarchySettings } from './index.ts';

async function openCa(hierarchy: Partial<HierarchySettings> = {}) {
  const store = await openMemoryStore();
  const clock = createVirtualClock();
  const secrets = createSealedSecretStore(store, createSealer([Buffer.alloc(32, 1)]), clock);
  const deps = { store, secrets, clock };
  return { ...deps, deps, ca: await createCertificateAuthority(deps, { hierarchy }) };
}

function leafFor(name: string, notAfter: number) {
  const spki = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'der', type: 'spki' });
  const spkiHash = createHash('sha256').update(spki).digest('hex');
  const dns = name.includes(':') || /^[\d.]+$/.test(name) ? [] : [name];
  const ip = dns.length === 0 ? [name] : [];
  return { spki, spkiHash, keyIsRsa: false, dns, ip, notAfter, extendedKeyUsage: ['serverAuth'] as const };
}

/** OpenSSL's own judgement of a leaf under a root. */
function verifies(
  directory: string,
  root: string,
  chain: readonly Uint8Array[],
  leaf: Uint8Array,
  at: number,
): boolean {
  const file = (name: string, text: string) => {
    writeFileSync(join(directory, name), text);
    return join(directory, name);
  };
  const pem = (one: Uint8Array) => pemOf('CERTIFICATE', one);
  const untrusted = file('chain.pem', chain.map(pem).join(''));
  const given = ['-CAfile', file('root.pem', root), '-untrusted', untrusted, '-attime', String(Math.floor(at / 1000))];
  try {
    execFileSync('openssl', ['verify', ...given, file('leaf.pem', pem(leaf))], { stdio: 'pipe' });
    return true;
  } catch {
    return false;
  }
}

test('an intermediate rolls over: new leaves have the new chain, old ones keep theirs', async (t) => {
  const { ca, store, clock, deps } = await openCa();
  t.after(() => store.close());
  const before = await ca.issue(leafFor('a.example', clock.now() + 86_400_000));
  const [[oldChain] = []] = [await ca.chains(before.authority_id)];
  const next = await ca.rollOver({ root: false }, 'test');
  const after = await ca.issue(leafFor('a.example', clock.now() + 86_400_000));
  assert.equal(after.authority_id, next.id);
  assert.notEqual(after.authority_id, before.authority_id);
  assert.deepEqual((await ca.chains(before.authority_id))[0], oldChain);
  assert.ok(await ca.revocation.list(before.authority_id, 0), 'the old one signs its lists still');
  const again = await createCertificateAuthority(deps);
  assert.equal((await again.issue(leafFor('a.example', clock.now() + 86_400_000))).authority_id, next.id);
});

test('with a new root both chains are offered, and each verifies under its root alone', async (t) => {
  const { ca, store, clock } = await openCa();
  t.after(() => store.close());
  const oldRoot = ca.rootPem();
  await ca.rollOver({ root: true }, 'test');
  const roots = parsePem('CERTIFICATE', ca.rootPem()).map((der) => pemOf('CERTIFICATE', der));
  assert.equal(roots.length, 2);
  assert.equal(roots[0], oldRoot, 'the root that clients have comes first');
  const leaf = await ca.issue(leafFor('a.example', clock.now() + 86_400_000));
  const chains = await ca.chains(leaf.authority_id);
  assert.equal(chains.length, 2);
  const directory = temporaryDirectory(t);
  for (const root of [0, 1])
    for (const chain of [0, 1])
      assert.equal(
        verifies(directory, roots[root]!, chains[chain]!, leaf.certificate, clock.now()),
        root === chain,
        `chain ${chain} under root ${root}`,
      );
});

test('name constraints go into the intermediate, and nothing outside of them is signed', async (t) => {
  const { ca, store, clock } = await openCa({ nameConstraints: { permitted: ['corp.example'], excluded: [] } });
  t.after(() => store.close());
  const good = await ca.issue(leafFor('a.corp.example', clock.now() + 86_400_000));
  const [chain = []] = await ca.chains(good.authority_id);
  assert.ok(verifies(temporaryDirectory(t), ca.rootPem(), chain, good.certificate, clock.now()));
  for (const bad of ['a.other.example', '10.0.0.1', '::1']) {
    assert.match(ca.refuseName(bad) ?? '', /name constraints/);
    await assert.rejects(ca.issue(leafFor(bad, clock.now() + 86_400_000)), { code: 'lint_failed' });
  }
});

/** A CA that OpenSSL made: an RSA root, and an intermediate with an encrypted key. */
function foreignCa(directory: string) {
  const openssl = (...rest: string[]) => execFileSync('openssl', rest, { cwd: directory, stdio: 'pipe' });
  const extensions =
    'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n';
  writeFileSync(join(directory, 'ext'), `${extensions}authorityKeyIdentifier=keyid\n`);
  openssl(
    ...'req -x509 -newkey rsa:2048 -nodes -keyout root.key -out root.pem -days 3650 -subj /CN=Foreign -addext keyUsage=critical,keyCertSign,cRLSign'.split(
      ' ',
    ),
  );
  openssl(...'genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out plain.key'.split(' '));
  openssl(...'pkcs8 -topk8 -v2 aes256 -in plain.key -out sealed.key -passout pass:secret'.split(' '));
  openssl(...'req -new -key plain.key -subj /CN=ForeignIntermediate -out i.csr'.split(' '));
  openssl(
    ...'x509 -req -in i.csr -CA root.pem -CAkey root.key -CAcreateserial -days 365 -extfile ext -out i.pem'.split(' '),
  );
  const read = (name: string) => readFileSync(join(directory, name), 'utf8');
  return { root: read('root.pem'), rootKey: read('root.key'), intermediate: read('i.pem'), sealed: read('sealed.key') };
}

test('an existing CA is imported with its encrypted key, and signs from then on', async (t) => {
  const { ca, store } = await openCa();
  t.after(() => store.close());
  const directory = temporaryDirectory(t);
  const { root, intermediate, sealed, rootKey } = foreignCa(directory);
  // OpenSSL's certificates are of today.
  const now = Date.parse(new X509Certificate(intermediate).validFrom) + 60_000;
  const foreign = await openCa();
  await foreign.clock.advance(now - foreign.clock.now());
  const chainPem = `${intermediate}${root}`;
  const attempt = (chain: string, key: { pem: string; passphrase?: string }) =>
    foreign.ca.import({ chainPem: chain, key }, 'test');
  const key = { pem: sealed, passphrase: 'secret' };
  await assert.rejects(attempt(chainPem, { pem: sealed }), /is encrypted: give its passphrase too/);
  await assert.rejects(attempt(chainPem, { pem: sealed, passphrase: 'wrong' }), /does not open with this passphrase/);
  await assert.rejects(attempt(chainPem, { pem: rootKey }), /is not that of the first certificate/);
  await assert.rejects(attempt(intermediate, key), /end with the root/);
  await assert.rejects(attempt(`${root}${intermediate}`, { pem: rootKey }), /was not issued by the next/);
  await assert.rejects(attempt('nothing', key), /no certificate in PEM/);
  await assert.rejects(attempt(`${root}${root}`, { pem: rootKey }), /holds a certificate twice/);
  await assert.rejects(
    ca.import({ chainPem, key }, 'test'),
    /cannot sign now/,
    'by the clock of the one at 1970 or so',
  );
  const imported = await attempt(chainPem, key);
  assert.equal(
    pemOf('CERTIFICATE', imported.certificate.der),
    pemOf('CERTIFICATE', parsePem('CERTIFICATE', intermediate)[0]!),
  );
  await attempt(chainPem, key);
  assert.equal(foreign.ca.authorities().length, 4, 'once');
  const leaf = await foreign.ca.issue(leafFor('a.example', now + 86_400_000));
  const [chain = []] = await foreign.ca.chains(leaf.authority_id);
  assert.ok(verifies(directory, root, chain, leaf.certificate, now));
  await attempt(root, { pem: rootKey });
  const under = await foreign.ca.issue(leafFor('a.example', now + 86_400_000));
  const [shorter = []] = await foreign.ca.chains(under.authority_id);
  assert.ok(
    verifies(directory, root, shorter, under.certificate, now),
    'an intermediate of ours under a root of theirs',
  );
});

test('a key that another program holds signs, and what that program says is verified', async (t) => {
  const directory = temporaryDirectory(t);
  const { root, intermediate } = foreignCa(directory);
  const program = join(directory, 'signer');
  writeFileSync(
    program,
    `#!/bin/sh\n[ "$1" = ecdsa-sha256 ] || exit 9\nexec openssl dgst -sha256 -sign ${directory}/plain.key\n`,
  );
  chmodSync(program, 0o755);
  const liar = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  writeFileSync(join(directory, 'liar.key'), liar.export({ format: 'pem', type: 'pkcs8' }));
  const at = await openCa({
    signers: {
      hsm: [program],
      liar: ['sh', '-c', `openssl dgst -sha256 -sign ${directory}/liar.key`],
      dead: ['false'],
    },
  });
  t.after(() => at.store.close());
  const now = Date.parse(new X509Certificate(intermediate).validFrom) + 60_000;
  await at.clock.advance(now - at.clock.now());
  const chainPem = `${intermediate}${root}`;
  await assert.rejects(
    at.ca.import({ chainPem, key: { signer: 'liar' } }, 'test'),
    /no signature by the key of the certificate/,
  );
  await assert.rejects(at.ca.import({ chainPem, key: { signer: 'dead' } }, 'test'), /ended with 1/);
  await assert.rejects(
    at.ca.import({ chainPem, key: { signer: 'nobody' } }, 'test'),
    /which the configuration does not name/,
  );
  await at.ca.import({ chainPem, key: { signer: 'hsm' } }, 'test');
  const leaf = await at.ca.issue(leafFor('a.example', now + 86_400_000));
  const [chain = []] = await at.ca.chains(leaf.authority_id);
  assert.ok(verifies(directory, root, chain, leaf.certificate, now));
  const { der } = (await at.ca.revocation.list(leaf.authority_id, 0))!;
  assert.ok(der.length > 0);
  await assert.rejects(createCertificateAuthority(at.deps), { code: 'ca_signer_missing' });
  assert.throws(() => createPrivateKey(JSON.stringify(at.ca.authorities())));
});

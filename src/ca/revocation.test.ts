import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryDirectory } from '../../test/fixtures/temporary.ts';
import { createVirtualClock, systemClock } from '../base/index.ts';
import { createSealedSecretStore, createSealer } from '../secrets/index.ts';
import { markRevoked } from '../store/ca.ts';
import { openMemoryStore } from '../store/index.ts';
import { parsePem, pemOf } from '../x509/index.ts';
import { createCaHandler, createCertificateAuthority, distributionUrls } from './index.ts';

const DAY = 86_400_000;

test('OpenSSL accepts the revocation list and the OCSP answers, before and after a revocation', async (t) => {
  const store = await openMemoryStore();
  const clock = systemClock;
  const secrets = createSealedSecretStore(store, createSealer([Buffer.alloc(32, 1)]), clock);
  const server = createServer((request, response) => {
    if (!handle(request, response)) response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const ca = await createCertificateAuthority({ store, secrets, clock }, { urls: distributionUrls(base) });
  const handle = createCaHandler(ca);
  t.after(async () => {
    server.closeAllConnections();
    server.close();
    await store.close();
  });
  const directory = temporaryDirectory(t);
  const { chainPem } = await ca.issueServerCertificate(['a.example']);
  const [leaf, intermediate] = parsePem('CERTIFICATE', chainPem);
  const file = (name: string, text: string | Buffer) => {
    writeFileSync(join(directory, name), text);
    return join(directory, name);
  };
  const leafFile = file('leaf.pem', pemOf('CERTIFICATE', leaf!));
  const issuerFile = file('issuer.pem', pemOf('CERTIFICATE', intermediate!));
  const rootFile = file('root.pem', ca.rootPem());
  const openssl = (...rest: string[]) => {
    const { stdout, stderr } = spawnSync('openssl', rest, { encoding: 'utf8' });
    return stdout + stderr;
  };
  const get = async (url: string) => Buffer.from(await (await fetch(url)).arrayBuffer());
  const crlUrl = /URI:(http\S+\.crl)/.exec(
    openssl('x509', '-in', leafFile, '-noout', '-ext', 'crlDistributionPoints'),
  )![1]!;
  const ocsp = async (name: string, more: string[] = []) => {
    const request = join(directory, `${name}.req`);
    openssl('ocsp', '-issuer', issuerFile, '-cert', leafFile, '-reqout', request, ...more);
    const answer = await fetch(`${base}/ca/ocsp`, { method: 'POST', body: readFileSync(request) });
    const der = file(`${name}.der`, Buffer.from(await answer.arrayBuffer()));
    return openssl(
      'ocsp',
      '-respin',
      der,
      '-issuer',
      issuerFile,
      '-cert',
      leafFile,
      '-CAfile',
      rootFile,
      '-verify_other',
      issuerFile,
      '-no_nonce',
    );
  };
  const crlText = async (name: string) => {
    const crl = file(name, await get(crlUrl));
    const verdict = openssl(
      'crl',
      '-inform',
      'DER',
      '-in',
      crl,
      '-CAfile',
      rootFile,
      '-CAfile',
      issuerFile,
      '-noout',
      '-verify',
    );
    return `${verdict}${openssl('crl', '-inform', 'DER', '-in', crl, '-noout', '-text')}`;
  };
  assert.match(await crlText('before.crl'), /No Revoked Certificates/);
  const before = await ocsp('before');
  // Nothing but the root and the issuer is given: the responder's own certificate comes with the answer.
  assert.match(before, /Response verify OK/);
  assert.match(before, /leaf\.pem: good/);
  const sent = openssl('ocsp', '-respin', join(directory, 'before.der'), '-noverify', '-resp_text');
  assert.match(sent, /OCSP Signing/);
  assert.match(sent, /OCSP No Check/);
  const serial = openssl('x509', '-in', leafFile, '-noout', '-serial').trim().split('=')[1]!;
  await store.write((tx) => markRevoked(tx, serial.toLowerCase(), 4, clock.now()));
  assert.match(await crlText('after.crl'), new RegExp(`Serial Number: ${serial}[\\s\\S]*Superseded`));
  assert.match(await ocsp('after', ['-no_nonce']), /leaf\.pem: revoked/);
  const nonsense = await fetch(`${base}/ca/ocsp`, { method: 'POST', body: 'nonsense' });
  assert.equal(Buffer.from(await nonsense.arrayBuffer()).toString('hex'), '30030a0101');
});

/** The responder's certificate that OpenSSL finds in an answer. */
function responderIn(directory: string, answer: Buffer): X509Certificate {
  writeFileSync(join(directory, 'answer.der'), answer);
  const text = execFileSync('openssl', ['ocsp', '-respin', join(directory, 'answer.der'), '-noverify', '-resp_text'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return new X509Certificate(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/.exec(text.toString())![0]);
}

test('an OCSP responder is replaced by itself before an answer could outlive it, and survives a CA key that is away', async (t) => {
  const store = await openMemoryStore();
  t.after(() => store.close());
  const clock = createVirtualClock(Date.parse('2026-01-01T00:00:00Z'));
  const secrets = createSealedSecretStore(store, createSealer([Buffer.alloc(32, 1)]), clock);
  const ca = await createCertificateAuthority({ store, secrets, clock });
  const directory = temporaryDirectory(t);
  const { chainPem } = await ca.issueServerCertificate(['a.example'], { lifetime: 60 * DAY });
  const [leaf, intermediate] = parsePem('CERTIFICATE', chainPem);
  writeFileSync(join(directory, 'leaf.pem'), pemOf('CERTIFICATE', leaf!));
  writeFileSync(join(directory, 'issuer.pem'), pemOf('CERTIFICATE', intermediate!));
  const request = join(directory, 'request');
  const files = ['-issuer', join(directory, 'issuer.pem'), '-cert', join(directory, 'leaf.pem')];
  execFileSync('openssl', ['ocsp', ...files, '-reqout', request, '-no_nonce'], { stdio: 'pipe' });
  const serials = new Set<string>();
  for (let day = 0; day < 30; day++) {
    const { der, nextUpdate } = await ca.revocation.ocsp(readFileSync(request));
    const responder = responderIn(directory, der);
    assert.ok(Date.parse(responder.validTo) > nextUpdate!, 'an answer outlives its responder');
    assert.ok(responder.checkIssued(new X509Certificate(intermediate!)));
    serials.add(responder.serialNumber);
    await clock.advance(DAY);
  }
  assert.ok(serials.size >= 7 && serials.size <= 9, `${serials.size} responders in 30 days`);
  assert.match(await ca.metrics(), /ca_signatures_total\{what="ocsp"\} 30/);
  const signing = ca.authorities().find(({ kind }) => kind === 'intermediate')!;
  t.mock.method(signing.signer as { sign(bytes: Uint8Array): Uint8Array }, 'sign', () => {
    throw new Error('the token is away');
  });
  const until = async () =>
    Date.parse(responderIn(directory, (await ca.revocation.ocsp(readFileSync(request))).der).validTo);
  while ((await until()) - clock.now() > 2 * DAY) await clock.advance(DAY);
  await clock.advance(DAY + 1000);
  await assert.rejects(until(), /the token is away/);
});

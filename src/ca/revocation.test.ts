import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryDirectory } from '../../test/fixtures/temporary.ts';
import { systemClock } from '../base/index.ts';
import { createSealedSecretStore, createSealer } from '../secrets/index.ts';
import { markRevoked } from '../store/ca.ts';
import { openMemoryStore } from '../store/index.ts';
import { parsePem, pemOf } from '../x509/index.ts';
import { createCaHandler, createCertificateAuthority, distributionUrls } from './index.ts';

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
    try {
      return execFileSync('openssl', rest, { encoding: 'utf8', stdio: 'pipe' });
    } catch (error) {
      return String((error as { stdout?: string }).stdout) + String((error as { stderr?: string }).stderr);
    }
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
  assert.match(await ocsp('before'), /leaf\.pem: good/);
  const serial = openssl('x509', '-in', leafFile, '-noout', '-serial').trim().split('=')[1]!;
  await store.write((tx) => markRevoked(tx, serial.toLowerCase(), 4, clock.now()));
  assert.match(await crlText('after.crl'), new RegExp(`Serial Number: ${serial}[\\s\\S]*Superseded`));
  assert.match(await ocsp('after', ['-no_nonce']), /leaf\.pem: revoked/);
  const nonsense = await fetch(`${base}/ca/ocsp`, { method: 'POST', body: 'nonsense' });
  assert.equal(Buffer.from(await nonsense.arrayBuffer()).toString('hex'), '30030a0101');
});

// A certificate that something else renews, in files: served, replaced, damaged, mended and given up.
import assert from 'node:assert/strict';
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect, type TLSSocket } from 'node:tls';
import type { Certificate, CertificateDetail } from '../../src/contract/index.ts';
import { createTestAuthority, type TestCertificate } from '../fixtures/certificate.ts';
import { blocksOf } from '../fixtures/documents.ts';
import { callerOf, runCli, startGatehouse } from '../fixtures/gatehouse.ts';
import { temporaryDirectory } from '../fixtures/temporary.ts';
import { until } from '../fixtures/until.ts';

const NAME = 'brought.localhost';

function handshake(edge: string): Promise<TLSSocket> {
  const { hostname, port } = new URL(edge);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port), servername: NAME, rejectUnauthorized: false });
    socket.once('secureConnect', () => resolve(socket));
    socket.once('error', reject);
  });
}

/** Status line of the answer to one more request on the connection. */
function ask(socket: TLSSocket): Promise<string> {
  return new Promise((resolve, reject) => {
    socket.once('data', (chunk) => resolve(String(chunk).split('\r\n', 1)[0]!));
    socket.once('close', () => reject(new Error('the connection was closed')));
    socket.write(`HEAD / HTTP/1.1\r\nhost: ${NAME}\r\n\r\n`);
  });
}

async function shown(edge: string): Promise<string> {
  const socket = await handshake(edge);
  const { fingerprint256 } = socket.getPeerCertificate();
  socket.destroy();
  return fingerprint256.replaceAll(':', '').toLowerCase();
}

test('certificate files: watched, replaced without dropping a connection, damaged and mended, given up with their entry', async (t) => {
  const directory = temporaryDirectory(t);
  const authority = createTestAuthority();
  const path = (file: string) => join(directory, file);
  const put = (file: string, text: string) => {
    writeFileSync(path(`${file}.new`), text);
    renameSync(path(`${file}.new`), path(file));
  };
  const putPair = ({ cert, key }: TestCertificate) => {
    put('chain.pem', cert);
    put('key.pem', key);
  };
  const base =
    'edge: { https_port: 0, http_port: 0, workers: 1 }\napi: { port: 0 }\nacme_server: { port: 0 }\nagents: { port: 0 }\n';
  const [block] = blocksOf('docs/certificates.md').filter(({ heading }) => heading === 'Certificates that you bring');
  const config = `${base}${block!.text.replace('/etc/ssl/brought/fullchain.pem', path('chain.pem')).replace('/etc/ssl/brought/key.pem', path('key.pem'))}`;
  putPair(authority.issue([NAME]));
  const gatehouse = await startGatehouse(t, { config });
  const call = callerOf(gatehouse);
  const edge = gatehouse.ready.edge_https;
  const detail = () => call<CertificateDetail>('GET', `/system/acme_certificates/${NAME}`);
  const served = async () => (await detail()).served!.fingerprint_sha256;

  await until('the first is served', async () => (await shown(edge)) === (await served()));
  assert.deepEqual((await detail()).references, ['file:brought']);
  const first = await served();
  const kept = await handshake(edge);
  t.after(() => kept.destroy());
  assert.match(await ask(kept), /^HTTP\/1\.1 403/);

  // Another one, its two files written one after the other.
  putPair(authority.issue([NAME]));
  await until('the second is served', async () => (await shown(edge)) !== first);
  assert.equal(await shown(edge), await served());
  assert.match(await ask(kept), /^HTTP\/1\.1 403/);
  assert.equal((await detail()).why.problem, null);

  // A key that does not belong to it: what was served is served on, and it is said.
  const second = await served();
  const third = authority.issue([NAME]);
  put('key.pem', third.key);
  await until('the damage is told', async () => (await detail()).why.problem !== null);
  const { why, status } = await detail();
  assert.equal(status, 'valid');
  assert.match(
    why.problem!.detail,
    /certificates\.files\[0\]\.certificate: .*chain\.pem: the certificate is for another key/,
  );
  assert.match((await gatehouse.cli('certificates', 'show', NAME)).stdout, /files were changed and are not used/);
  assert.equal(await shown(edge), second);
  assert.match((await gatehouse.cli('certificates', 'renew', NAME)).stderr, /was brought/);

  // The chain that the key belongs to comes after it.
  put('chain.pem', third.cert);
  await until('the third is served', async () => (await shown(edge)) !== second);
  assert.equal(await shown(edge), await served());
  assert.equal((await detail()).why.problem, null);
  assert.equal((await detail()).versions.length, 3);
  assert.match(await ask(kept), /^HTTP\/1\.1 403/);

  // What is revoked does not come back with a restart; an entry that is gone gives up its certificate.
  const { id } = await detail();
  await call('POST', `/system/acme_certificates/${id}/revoke`, { confirm: NAME });
  await gatehouse.stop();
  const again = await startGatehouse(t, { config, dataDir: gatehouse.dataDir });
  const shownAgain = await again.cli('certificates', 'show', NAME);
  assert.match(shownAgain.stdout, /revoked here on .*; bring another/);
  await again.stop();
  const without = await startGatehouse(t, { config: base, dataDir: gatehouse.dataDir });
  const listed = JSON.parse((await without.cli('certificates', 'list', '--json')).stdout) as Certificate[];
  assert.deepEqual(
    listed.map(({ references }) => references),
    [[]],
  );
});

test('a first start with files that cannot be served is refused, as config check says with file and line', async (t) => {
  const directory = temporaryDirectory(t);
  const file = join(directory, 'gatehouse.yaml');
  const { cert } = createTestAuthority().issue([NAME]);
  writeFileSync(join(directory, 'chain.pem'), cert);
  const config = `certificates:\n  files:\n    - certificate: ${directory}/chain.pem\n      key: ${directory}/absent.pem\n`;
  writeFileSync(file, config);
  const checked = await runCli(['config', 'check', file]);
  assert.notEqual(checked.code, 0);
  assert.match(checked.stderr, /gatehouse\.yaml:4:\d+: certificates\.files\[0\]\.key: .*absent\.pem cannot be read/);
  writeFileSync(join(directory, 'absent.pem'), createTestAuthority().issue([NAME]).key);
  assert.match((await runCli(['config', 'check', file])).stderr, /:3:\d+: .*the certificate is for another key/);
  const ports =
    'edge: { https_port: 0, http_port: 0 }\napi: { port: 0 }\nacme_server: { port: 0 }\nagents: { port: 0 }\n';
  await assert.rejects(
    startGatehouse(t, { config: ports + config }),
    /certificates\.files\[0\]\.certificate: .*chain\.pem: the certificate is for another key/,
  );
});

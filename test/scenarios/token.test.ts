import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createCertificationRequest, parsePem, pemOf } from '../../src/x509/index.ts';
import { blocksOf } from '../fixtures/documents.ts';
import { startGatehouse } from '../fixtures/gatehouse.ts';
import { installDebian, needProgram } from '../fixtures/peer.ts';
import { RawAcme } from '../fixtures/raw-acme.ts';
import { temporaryDirectory } from '../fixtures/temporary.ts';

const MODULE = '/usr/lib/softhsm/libsofthsm2.so';
const ENGINE = '/usr/lib/x86_64-linux-gnu/engines-3/pkcs11.so';

test('docs/acme-hsm.md: a key made in a PKCS #11 token signs certificates, lists and the OCSP responder', async (t) => {
  for (const program of ['softhsm2-util', 'pkcs11-tool']) if (needProgram(t, program) === undefined) return;
  if (!existsSync(ENGINE) && !installDebian('libengine-pkcs11-openssl'))
    return t.skip('no PKCS #11 engine for OpenSSL');
  const directory = temporaryDirectory(t);
  const file = (name: string) => join(directory, name);
  mkdirSync(file('tokens'));
  writeFileSync(file('softhsm2.conf'), `directories.tokendir = ${file('tokens')}\nobjectstore.backend = file\n`);
  writeFileSync(file('token-pin'), '1234\n', { mode: 0o600 });
  const env = { ...process.env, SOFTHSM2_CONF: file('softhsm2.conf') };
  const sh = (script: string) =>
    execFileSync('bash', ['-euo', 'pipefail', '-c', script], { cwd: directory, env, encoding: 'utf8', stdio: 'pipe' });
  sh('softhsm2-util --init-token --free --label gatehouse --pin 1234 --so-pin 5678');
  sh(
    'openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-384 -nodes -keyout root.key -out root.pem -days 9000 -subj /CN=Root -addext keyUsage=critical,keyCertSign,cRLSign',
  );
  const blocks = blocksOf('docs/acme-hsm.md').map(({ language, text }) => ({
    language,
    text: text
      .replaceAll('MODULE ', `${MODULE} `)
      .replaceAll('=MODULE\n', `=${MODULE}\n`)
      .replaceAll('/etc/gatehouse', directory),
  }));
  const [makeKey, request, certify, signer] = blocks.filter(({ language }) => language === 'sh');
  for (const block of [makeKey, request, certify]) sh(block!.text);
  // The service is not started by a shell that names the token's configuration, so the program does.
  const program = signer!.text.replace('\n', `\nexport SOFTHSM2_CONF=${env.SOFTHSM2_CONF}\n`);
  writeFileSync(file('token-signer'), program, { mode: 0o755 });
  const gatehouse = await startGatehouse(t, {
    command: ['ca', 'serve'],
    config: `api: { port: 0 }\nagents: { port: 0 }\nacme_server: { port: 0 }\n${blocks
      .find(({ language }) => language === 'yaml')!
      .text.replace('ca:\n', 'ca:\n  url: http://pki.example\n  port: 0\n')}`,
  });
  const trust = ['auth_mode=trust_authenticated', 'trust_without_eab=true'];
  assert.equal((await gatehouse.cli('profiles', 'create', 'tokens', ...trust)).code, 0);
  const { acme_directory, ca_root_file, ca_http } = gatehouse.ready as typeof gatehouse.ready & { ca_http: string };
  assert.equal(readFileSync(ca_root_file, 'utf8'), readFileSync(file('root.pem'), 'utf8'));
  const directoryUrl = acme_directory.replace('/acme/directory', '/acme/profile/tokens/directory');
  const client = await new RawAcme(directoryUrl, { ca: readFileSync(ca_root_file, 'utf8') }).start();
  await client.register();
  const order = await client.order(['shop.example']);
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const csr = createCertificationRequest(['shop.example'], privateKey).toString('base64url');
  const done = await client.post(order.json.finalize, { csr });
  const [leaf, issuer] = parsePem('CERTIFICATE', (await client.post(done.json.certificate, '')).text);
  writeFileSync(file('leaf.pem'), pemOf('CERTIFICATE', leaf!));
  assert.deepEqual(issuer, parsePem('CERTIFICATE', readFileSync(file('issuing-ca.pem'), 'utf8'))[0]);
  sh('openssl verify -CAfile root.pem -untrusted issuing-ca.pem leaf.pem');
  const path = /URI:http:\/\/pki\.example\/ca\/(\S+\.crl)/.exec(sh('openssl x509 -in leaf.pem -noout -text'))![1]!;
  const get = async (url: string, body?: Buffer) => {
    const answer = await fetch(url, body === undefined ? {} : { method: 'POST', body: new Uint8Array(body) });
    return Buffer.from(await answer.arrayBuffer());
  };
  writeFileSync(file('list.crl'), await get(`${ca_http}${path}`));
  sh('openssl crl -inform DER -in list.crl -CAfile issuing-ca.pem -noout -verify');
  sh('openssl ocsp -issuer issuing-ca.pem -cert leaf.pem -reqout request');
  writeFileSync(file('answer'), await get(`${ca_http}ocsp`, readFileSync(file('request'))));
  const said = spawnSync(
    'openssl',
    'ocsp -respin answer -no_nonce -issuer issuing-ca.pem -cert leaf.pem -CAfile root.pem'.split(' '),
    { cwd: directory, encoding: 'utf8' },
  );
  assert.match(said.stderr, /Response verify OK/);
  assert.match(said.stdout, /leaf\.pem: good/);
  await seesWhatTheTableSays(file('token-signer'), program);

  /** Rows of "When it does not work" that a restart shows. */
  async function seesWhatTheTableSays(path: string, good: string): Promise<void> {
    const rows = readFileSync('docs/acme-hsm.md', 'utf8').match(/^\| `.*$/gm)!;
    await gatehouse.stop();
    const restart = () =>
      startGatehouse(t, { command: ['ca', 'serve'], dataDir: gatehouse.dataDir, config: config(path) }).then(
        () => assert.fail('it started'),
        (error: Error) => error.message,
      );
    const config = (program: string) =>
      `api: { port: 0 }\nagents: { port: 0 }\nacme_server: { port: 0 }\nca: { signers: { token: ["${program}"] } }\n`;
    writeFileSync(path, good.replace('--pin env:PIN', '--pin 9999'), { mode: 0o755 });
    assert.match(await restart(), /the signer token ended with 1: .*PIN/s);
    assert.ok(rows.some((row) => row.includes('the signer token ended with 1')));
  }
});

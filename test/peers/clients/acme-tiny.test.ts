import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { startClientGround, tally } from '../../fixtures/client-ground.ts';
import { recordClient } from '../../fixtures/client-matrix.ts';
import { run } from '../../fixtures/command.ts';
import { needProgram } from '../../fixtures/peer.ts';

test('acme-tiny issues by http-01, and again when it is called again', async (t) => {
  const program = needProgram(t, 'acme-tiny');
  if (program === undefined) return;
  const ground = await startClientGround(t);
  await ground.serveWebRoot();
  const { directory } = ground;
  const key = (name: string) => `${directory}/${name}.key`;
  await run('openssl', ['genrsa', '-out', key('account'), '2048']);
  const names = 'subjectAltName=DNS:a.tiny.test,DNS:b.tiny.test';
  const csr = ['req', '-new', '-newkey', 'rsa:2048', '-nodes', '-keyout', key('a'), '-out', `${directory}/a.csr`];
  await run('openssl', [...csr, '-subj', '/', '-addext', names]);
  const call = () =>
    run(
      program,
      [
        ...['--account-key', key('account'), '--csr', `${directory}/a.csr`, '--disable-check', '--quiet'],
        ...['--acme-dir', `${ground.webRoot}/.well-known/acme-challenge`, '--directory-url', ground.directoryUrl],
      ],
      { env: { SSL_CERT_FILE: ground.rootFile } },
    );
  writeFileSync(`${directory}/chain.pem`, (await call()).output);
  await run('openssl', [
    'verify',
    '-CAfile',
    ground.rootFile,
    '-untrusted',
    `${directory}/chain.pem`,
    `${directory}/chain.pem`,
  ]);
  await call();
  assert.deepEqual(await tally(ground), { issued: 2, revoked: 0 });
  recordClient({
    client: 'acme-tiny',
    version: '5.0.1',
    does: ['http-01', 'renew'],
    cannot: ['tls-alpn-01', 'dns-01', 'wildcard', 'IP', 'EAB', 'ARI', 'revoke', 'key change'],
  });
});

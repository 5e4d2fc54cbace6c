import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { startAcmeServer } from '../fixtures/acme-server.ts';
import { run } from '../fixtures/command.ts';
import { needProgram } from '../fixtures/peer.ts';
import { freePort, temporaryDirectory } from '../fixtures/temporary.ts';

test('lego issues by http-01 and tls-alpn-01, renews and revokes against our server', async (t) => {
  const lego = needProgram(t, 'lego');
  if (lego === undefined) return;
  const [httpPort, tlsPort] = [await freePort(), await freePort()];
  const { directoryUrl, rootFile, rootPem, store } = await startAcmeServer(t, {
    profile: { validation: { http_port: httpPort, tls_port: tlsPort, allowed_cidrs: ['127.0.0.0/8', '::1/128'] } },
  });
  const path = temporaryDirectory(t);
  const call = (...rest: string[]) =>
    run(lego, ['--server', directoryUrl, '--accept-tos', '--email', 'lego@example.org', '--path', path, ...rest], {
      env: { LEGO_CA_CERTIFICATES: rootFile },
    });
  const http = [
    '--domains',
    'a.lego.localhost',
    '--domains',
    'b.lego.localhost',
    '--http',
    '--http.port',
    `127.0.0.1:${httpPort}`,
  ];
  await call(...http, '--key-type', 'ec256', 'run');
  await call(
    '--domains',
    'c.lego.localhost',
    '--key-type',
    'rsa2048',
    '--tls',
    '--tls.port',
    `127.0.0.1:${tlsPort}`,
    'run',
  );
  const certificate = (name: string) => new X509Certificate(readFileSync(join(path, 'certificates', `${name}.crt`)));
  const first = certificate('a.lego.localhost');
  assert.equal(first.subjectAltName, 'DNS:a.lego.localhost, DNS:b.lego.localhost');
  const issuer = new X509Certificate(readFileSync(join(path, 'certificates', 'a.lego.localhost.issuer.crt')));
  assert.ok(first.verify(issuer.publicKey) && issuer.verify(new X509Certificate(rootPem).publicKey));
  await call(...http, 'renew', '--days', '99999', '--no-random-sleep');
  assert.notEqual(certificate('a.lego.localhost').serialNumber, first.serialNumber);
  await call('--domains', 'c.lego.localhost', 'revoke', '--reason', '4');
  const revoked = await store.db
    .selectFrom('ca_certificate')
    .select(['names', 'reason'])
    .where('revoked_at', 'is not', null)
    .execute();
  assert.deepEqual(
    revoked.map(({ names, reason }) => [names, reason]),
    [['["c.lego.localhost"]', 4]],
  );
});

import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { startAcmeServer } from '../fixtures/acme-server.ts';
import { run } from '../fixtures/command.ts';
import { needProgram } from '../fixtures/peer.ts';
import { freePort, temporaryDirectory } from '../fixtures/temporary.ts';

test('certbot issues by http-01, renews, revokes by account and by key, updates and unregisters', async (t) => {
  const certbot = needProgram(t, 'certbot');
  if (certbot === undefined) return;
  const httpPort = await freePort();
  const { directoryUrl, rootFile, store } = await startAcmeServer(t, {
    profile: { validation: { http_port: httpPort, allowed_cidrs: ['127.0.0.0/8', '::1/128'] } },
  });
  const directory = temporaryDirectory(t);
  const call = (...rest: string[]) =>
    run(
      certbot,
      [
        '--config-dir',
        `${directory}/c`,
        '--work-dir',
        `${directory}/w`,
        '--logs-dir',
        `${directory}/l`,
        '-n',
        '--server',
        directoryUrl,
        '--agree-tos',
        '--register-unsafely-without-email',
        ...rest,
      ],
      { env: { REQUESTS_CA_BUNDLE: rootFile } },
    );
  const standalone = ['certonly', '--standalone', '--http-01-address', '127.0.0.1', '--http-01-port', String(httpPort)];
  await call(...standalone, '-d', 'a.certbot.localhost', '-d', 'b.certbot.localhost', '--key-type', 'ecdsa');
  await call(...standalone, '-d', 'c.certbot.localhost', '--key-type', 'rsa');
  const live = (name: string) => join(directory, 'c', 'live', name);
  const first = new X509Certificate(readFileSync(join(live('a.certbot.localhost'), 'cert.pem')));
  await call('renew', '--force-renewal', '--no-random-sleep-on-renew');
  assert.notEqual(
    new X509Certificate(readFileSync(join(live('a.certbot.localhost'), 'cert.pem'))).serialNumber,
    first.serialNumber,
  );
  await call('revoke', '--cert-name', 'a.certbot.localhost', '--reason', 'superseded', '--no-delete-after-revoke');
  await call(
    'revoke',
    '--cert-path',
    join(live('c.certbot.localhost'), 'cert.pem'),
    '--key-path',
    join(live('c.certbot.localhost'), 'privkey.pem'),
    '--reason',
    'keycompromise',
    '--no-delete-after-revoke',
  );
  await call('update_account', '-m', 'new@example.org');
  await call('unregister');
  const actors = await store.db
    .selectFrom('audit_event')
    .select(['actor', 'action'])
    .where('action', 'in', ['acme_certificate.revoke', 'acme_account.deactivate'])
    .orderBy('seq')
    .execute();
  assert.deepEqual(
    actors.map(({ actor, action }) => `${actor.split(':')[0]} ${action}`),
    ['acme acme_certificate.revoke', 'acme-cert-key acme_certificate.revoke', 'acme acme_account.deactivate'],
  );
});

import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { script, startClientGround } from '../../fixtures/client-ground.ts';
import { recordClient } from '../../fixtures/client-matrix.ts';
import { run } from '../../fixtures/command.ts';
import { needProgram } from '../../fixtures/peer.ts';

test('certbot issues by http-01, renews, revokes by account and by key, updates and unregisters', async (t) => {
  const certbot = needProgram(t, 'certbot');
  if (certbot === undefined) return;
  const ground = await startClientGround(t);
  const { directoryUrl, rootFile, store, directory, httpPort } = ground;
  const auth = script(
    `${directory}/auth`,
    `#!/bin/sh\n${ground.txtHook} set "_acme-challenge.$CERTBOT_DOMAIN" "$CERTBOT_VALIDATION"\n`,
  );
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
  await call(...standalone, '-d', 'a.certbot.test', '-d', 'b.certbot.test', '--key-type', 'ecdsa');
  await call(...standalone, '-d', 'c.certbot.test', '--key-type', 'rsa');
  await call(
    'certonly',
    '--manual',
    '--preferred-challenges',
    'dns',
    '--manual-auth-hook',
    auth,
    '-d',
    '*.d.certbot.test',
    '-d',
    'd.certbot.test',
  );
  const live = (name: string) => join(directory, 'c', 'live', name);
  const first = new X509Certificate(readFileSync(join(live('a.certbot.test'), 'cert.pem')));
  await call('renew', '--force-renewal', '--no-random-sleep-on-renew');
  assert.notEqual(
    new X509Certificate(readFileSync(join(live('a.certbot.test'), 'cert.pem'))).serialNumber,
    first.serialNumber,
  );
  await call('revoke', '--cert-name', 'a.certbot.test', '--reason', 'superseded', '--no-delete-after-revoke');
  await call(
    'revoke',
    '--cert-path',
    join(live('c.certbot.test'), 'cert.pem'),
    '--key-path',
    join(live('c.certbot.test'), 'privkey.pem'),
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
  const version = (await run(certbot, ['--version'])).output.match(/certbot (\S+)/)?.[1] ?? 'unknown';
  recordClient({ client: 'certbot', version, does: ['http-01', 'dns-01', 'wildcard', 'renew', 'revoke'] });
  assert.deepEqual(
    actors.map(({ actor, action }) => `${actor.split(':')[0]} ${action}`),
    ['acme acme_certificate.revoke', 'acme-cert-key acme_certificate.revoke', 'acme acme_account.deactivate'],
  );
});

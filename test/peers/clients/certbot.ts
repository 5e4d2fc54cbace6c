import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type ClientGround, script, startClientGround } from '../../fixtures/client-ground.ts';
import { recordClient } from '../../fixtures/client-matrix.ts';
import { run } from '../../fixtures/command.ts';

function caller(certbot: string, { directory, directoryUrl, rootFile }: ClientGround, of: string) {
  const home = ['--config-dir', `${directory}/${of}`, '--work-dir', `${directory}/w`, '--logs-dir', `${directory}/l`];
  const common = [...home, '-n', '--server', directoryUrl, '--agree-tos', '--register-unsafely-without-email'];
  return (...rest: string[]) => run(certbot, [...common, ...rest], { env: { REQUESTS_CA_BUNDLE: rootFile } });
}

/** Everything that certbot knows. `newer` knows addresses and renewal information besides. */
export async function certbotStory(t: TestContext, certbot: string, { newer }: { newer: boolean }): Promise<void> {
  const ground = await startClientGround(t);
  const { store, directory, httpPort, txtHook } = ground;
  const set = `${txtHook} set "_acme-challenge.$CERTBOT_DOMAIN" "$CERTBOT_VALIDATION"`;
  const auth = script(`${directory}/auth`, `#!/bin/sh\n${set}\n`);
  const call = caller(certbot, ground, 'c');
  const at = ['--http-01-address', '127.0.0.1', '--http-01-port', String(httpPort)];
  const standalone = ['certonly', '--standalone', ...at];
  const key = await ground.acme.administration.createEabKey('default', {}, 'system');
  const eab = ['--eab-kid', key.id, '--eab-hmac-key', key.hmac_key];
  await call(...standalone, ...eab, '-d', 'a.certbot.test', '-d', 'b.certbot.test', '--key-type', 'ecdsa');
  await call(...standalone, '-d', 'c.certbot.test', '--key-type', 'rsa');
  const manual = ['certonly', '--manual', '--preferred-challenges', 'dns', '--manual-auth-hook', auth];
  await call(...manual, '-d', '*.d.certbot.test', '-d', 'd.certbot.test');
  const live = (name: string) => join(directory, 'c', 'live', name);
  const serial = (name: string) => new X509Certificate(readFileSync(join(live(name), 'cert.pem'))).serialNumber;
  const first = serial('a.certbot.test');
  await call('renew', '--force-renewal', '--no-random-sleep-on-renew');
  assert.notEqual(serial('a.certbot.test'), first);
  await call('revoke', '--cert-name', 'a.certbot.test', '--reason', 'superseded', '--no-delete-after-revoke');
  if (newer) {
    await addressAndRenewalInformation(call, standalone, serial);
  }
  const byKey = ['--cert-path', join(live('c.certbot.test'), 'cert.pem')];
  byKey.push('--key-path', join(live('c.certbot.test'), 'privkey.pem'), '--reason', 'keycompromise');
  await call('revoke', ...byKey, '--no-delete-after-revoke');
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
  const version = (await run(certbot, ['--version'])).output.match(/certbot (\S+)/)?.[1] ?? 'unknown';
  const everywhere = ['http-01', 'dns-01', 'wildcard', 'renew', 'revoke', 'EAB'] as const;
  recordClient({
    client: 'certbot',
    version,
    does: newer ? [...everywhere, 'IP', 'ARI'] : everywhere,
    cannot: newer ? ['tls-alpn-01', 'key change'] : ['tls-alpn-01', 'key change', 'IP', 'ARI'],
  });
}

/** `renew` without force asks the renewal information: the revoked certificate is due at once, the others are not. */
async function addressAndRenewalInformation(
  call: (...rest: string[]) => Promise<{ output: string }>,
  standalone: readonly string[],
  serial: (name: string) => string,
): Promise<void> {
  await call(...standalone, '--ip-address', '127.0.0.1', '--cert-name', 'address');
  const before = ['a.certbot.test', 'c.certbot.test', 'address'].map(serial);
  await call('renew', '--no-random-sleep-on-renew');
  const after = ['a.certbot.test', 'c.certbot.test', 'address'].map(serial);
  assert.notEqual(after[0], before[0]);
  assert.deepEqual(after.slice(1), before.slice(1));
}

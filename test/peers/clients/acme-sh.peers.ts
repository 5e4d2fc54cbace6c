import assert from 'node:assert/strict';
import { test } from 'node:test';
import { script, startClientGround, tally } from '../../fixtures/client-ground.ts';
import { recordClient } from '../../fixtures/client-matrix.ts';
import { run } from '../../fixtures/command.ts';
import { needTestingProgram } from '../../fixtures/debian-testing.ts';
import { needProgram } from '../../fixtures/peer.ts';

test('acme.sh issues by every challenge with EAB, renews and revokes', async (t) => {
  const program = needTestingProgram(t, 'acme.sh', 'usr/share/acme.sh/acme.sh');
  // It answers tls-alpn-01 by OpenSSL's server, and looks for free ports by socat or nc.
  if (program === undefined || needProgram(t, 'socat') === undefined) return;
  const ground = await startClientGround(t, { eab_required: true });
  const eab = await ground.acme.administration.createEabKey('default', {}, 'system');
  const { directory, txtHook } = ground;
  await ground.serveWebRoot();
  script(
    `${directory}/cfg-dns_ours.sh`,
    `dns_ours_add() { ${txtHook} set "$1" "$2"; }\ndns_ours_rm() { ${txtHook} clear "$1"; }\n`,
  );
  await run('mkdir', ['-p', `${directory}/cfg/dnsapi`]);
  await run('mv', [`${directory}/cfg-dns_ours.sh`, `${directory}/cfg/dnsapi/dns_ours.sh`]);
  const places = ['--home', `${directory}/cfg`, '--config-home', `${directory}/cfg`];
  const call = (...rest: string[]) =>
    run('bash', [program, ...places, '--server', ground.directoryUrl, '--ca-bundle', ground.rootFile, ...rest], {
      env: { HOME: directory },
    });
  await call('--register-account', '-m', 'sh@example.org', '--eab-kid', eab.id, '--eab-hmac-key', eab.hmac_key);
  await call('--issue', '-d', 'a.sh.test', '-d', 'b.sh.test', '-w', ground.webRoot, '--keylength', 'ec-256');
  await call('--issue', '-d', 'c.sh.test', '--alpn', '--tlsport', String(ground.tlsPort), '--keylength', '2048');
  await call('--issue', '-d', '*.d.sh.test', '--dns', 'dns_ours', '--dnssleep', '1');
  await call('--renew', '-d', 'a.sh.test', '--ecc', '--force');
  await call('--revoke', '-d', 'c.sh.test', '--revoke-reason', '4');
  await call('--deactivate-account');
  assert.deepEqual(await tally(ground), { issued: 4, revoked: 1 });
  const version = (await run('bash', [program, '--version'])).output.match(/v(\d[.\d]+)/)?.[1] ?? 'unknown';
  recordClient({
    client: 'acme.sh',
    version,
    does: ['http-01', 'tls-alpn-01', 'dns-01', 'wildcard', 'EAB', 'renew', 'revoke'],
    cannot: ['key change'],
  });
});

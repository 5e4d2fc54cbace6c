import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { script, startClientGround, tally } from '../../fixtures/client-ground.ts';
import { recordClient } from '../../fixtures/client-matrix.ts';
import { run } from '../../fixtures/command.ts';
import { needProgram } from '../../fixtures/peer.ts';

const versionOf = async (lego: string) =>
  /version (\S+)/.exec((await run(lego, ['--version'])).output)?.[1] ?? 'unknown';

test('lego issues by every challenge, renews and revokes', async (t) => {
  const lego = needProgram(t, 'lego');
  if (lego === undefined) return;
  const ground = await startClientGround(t);
  const { directory: path, httpPort, tlsPort, rootPem } = ground;
  const hook = script(
    `${path}/hook`,
    `#!/bin/sh\ncase $1 in present) exec ${ground.txtHook} set "$2" "$3";; *) exec ${ground.txtHook} clear "$2";; esac\n`,
  );
  const call = (...rest: string[]) =>
    run(
      lego,
      ['--server', ground.directoryUrl, '--accept-tos', '--email', 'lego@example.org', '--path', path, ...rest],
      {
        env: {
          LEGO_CA_CERTIFICATES: ground.rootFile,
          EXEC_PATH: hook,
          EXEC_SEQUENCE_INTERVAL: '1',
          EXEC_POLLING_INTERVAL: '1',
        },
      },
    );
  const http = [
    '--domains',
    'a.lego.test',
    '--domains',
    'b.lego.test',
    '--http',
    '--http.port',
    `127.0.0.1:${httpPort}`,
  ];
  await call(...http, '--key-type', 'ec256', 'run');
  await call('--domains', 'c.lego.test', '--key-type', 'rsa2048', '--tls', '--tls.port', `127.0.0.1:${tlsPort}`, 'run');
  await call('--domains', '*.d.lego.test', '--dns', 'exec', '--dns.disable-cp', '--dns.resolvers', ground.dns, 'run');
  const certificate = (name: string) => new X509Certificate(readFileSync(join(path, 'certificates', `${name}.crt`)));
  const first = certificate('a.lego.test');
  assert.equal(first.subjectAltName, 'DNS:a.lego.test, DNS:b.lego.test');
  const issuer = new X509Certificate(readFileSync(join(path, 'certificates', 'a.lego.test.issuer.crt')));
  assert.ok(first.verify(issuer.publicKey) && issuer.verify(new X509Certificate(rootPem).publicKey));
  await call(...http, 'renew', '--days', '99999', '--no-random-sleep');
  assert.notEqual(certificate('a.lego.test').serialNumber, first.serialNumber);
  await call('--domains', 'c.lego.test', 'revoke', '--reason', '4');
  assert.deepEqual(await tally(ground), { issued: 4, revoked: 1 });
  recordClient({
    client: 'lego',
    version: await versionOf(lego),
    does: ['http-01', 'tls-alpn-01', 'dns-01', 'wildcard', 'renew', 'revoke'],
  });
});

test('lego is trusted with what its EAB key allows, and with nothing else', async (t) => {
  const lego = needProgram(t, 'lego');
  if (lego === undefined) return;
  const ground = await startClientGround(t, { auth_mode: 'trust_authenticated', eab_required: true });
  const key = await ground.acme.administration.createEabKey('default', { names: { allow: ['*.team.test'] } }, 'system');
  const call = (name: string, expected: number) =>
    run(
      lego,
      [
        '--server',
        ground.directoryUrl,
        '--accept-tos',
        '--email',
        'lego@example.org',
        '--path',
        ground.directory,
        '--eab',
        '--kid',
        key.id,
        '--hmac',
        key.hmac_key,
        '--domains',
        name,
        '--http',
        '--http.port',
        `127.0.0.1:${ground.httpPort}`,
        'run',
      ],
      { env: { LEGO_CA_CERTIFICATES: ground.rootFile }, expected },
    );
  await call('a.team.test', 0);
  assert.match((await call('a.other.test', 1)).output, /rejectedIdentifier/);
  assert.deepEqual(await tally(ground), { issued: 1, revoked: 0 });
  recordClient({ client: 'lego, EAB and trust', version: await versionOf(lego), does: ['trust'] });
});

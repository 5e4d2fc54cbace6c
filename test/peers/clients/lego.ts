import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { type ClientGround, replacing, script, startClientGround, tally } from '../../fixtures/client-ground.ts';
import { recordClient } from '../../fixtures/client-matrix.ts';
import { run } from '../../fixtures/command.ts';

const versionOf = async (lego: string) =>
  /version (\S+)/.exec((await run(lego, ['--version'])).output)?.[1]?.replace('dev', '4.9.1') ?? 'unknown';

function caller(lego: string, ground: ClientGround) {
  const { directory: path, txtHook } = ground;
  const hook = script(
    `${path}/hook`,
    `#!/bin/sh\ncase $1 in present) exec ${txtHook} set "$2" "$3";; *) exec ${txtHook} clear "$2";; esac\n`,
  );
  const common = ['--server', ground.directoryUrl, '--accept-tos', '--email', 'lego@example.org', '--path', path];
  const env = {
    LEGO_CA_CERTIFICATES: ground.rootFile,
    EXEC_PATH: hook,
    EXEC_SEQUENCE_INTERVAL: '1',
    EXEC_POLLING_INTERVAL: '1',
  };
  return (names: readonly string[], rest: readonly string[], expected = 0) =>
    run(lego, [...common, ...names.flatMap((name) => ['--domains', name]), ...rest], { env, expected });
}

/** Every challenge, renewal and revocation. `newer` knows addresses and renewal information besides. */
export async function legoStory(t: TestContext, lego: string, { newer }: { newer: boolean }): Promise<void> {
  const ground = await startClientGround(t);
  const { directory: path, rootPem } = ground;
  const call = caller(lego, ground);
  const http = ['--http', '--http.port', `127.0.0.1:${ground.httpPort}`];
  const alpn = ['--tls', '--tls.port', `127.0.0.1:${ground.tlsPort}`];
  const names = ['a.lego.test', 'b.lego.test'];
  await call(names, [...http, '--key-type', 'ec256', 'run']);
  await call(['c.lego.test'], ['--key-type', 'rsa2048', ...alpn, 'run']);
  const dns = ['--dns', 'exec', '--dns.disable-cp', '--dns.resolvers', ground.dns];
  await call(['*.d.lego.test'], [...dns, 'run']);
  const certificate = (name: string) => new X509Certificate(readFileSync(join(path, 'certificates', `${name}.crt`)));
  const first = certificate('a.lego.test');
  assert.equal(first.subjectAltName, 'DNS:a.lego.test, DNS:b.lego.test');
  const issuer = new X509Certificate(readFileSync(join(path, 'certificates', 'a.lego.test.issuer.crt')));
  assert.ok(first.verify(issuer.publicKey) && issuer.verify(new X509Certificate(rootPem).publicKey));
  await call(names, [...http, 'renew', '--days', '99999', '--no-random-sleep']);
  assert.notEqual(certificate('a.lego.test').serialNumber, first.serialNumber);
  await call(['c.lego.test'], ['revoke', '--reason', '4']);
  if (newer) await addressAndRenewalInformation(ground, call, http);
  assert.deepEqual(await tally(ground), { issued: newer ? 7 : 4, revoked: newer ? 2 : 1 });
  const everywhere = ['http-01', 'tls-alpn-01', 'dns-01', 'wildcard', 'renew', 'revoke'] as const;
  recordClient({
    client: 'lego',
    version: await versionOf(lego),
    does: newer ? [...everywhere, 'IP', 'ARI'] : everywhere,
    cannot: newer ? ['key change'] : ['key change', 'IP', 'ARI'],
  });
}

/** A revoked certificate is to be renewed at once (RFC 9773 §4.2); its order says what it replaces. */
async function addressAndRenewalInformation(
  ground: ClientGround,
  call: ReturnType<typeof caller>,
  http: readonly string[],
): Promise<void> {
  await call(['127.0.0.1'], [...http, 'run']);
  await call(['e.lego.test'], [...http, 'run']);
  const renew = [...http, 'renew', '--no-random-sleep'];
  assert.match((await call(['e.lego.test'], renew)).output, /no renewal|not due|expires in|future/i);
  const before = await replacing(ground);
  await call(['e.lego.test'], ['revoke', '--keep']);
  await call(['e.lego.test'], renew);
  assert.ok((await replacing(ground)) > before);
}

/** An external account key says what the account is trusted with. */
export async function legoTrustStory(t: TestContext, lego: string): Promise<void> {
  const ground = await startClientGround(t, { auth_mode: 'trust_authenticated', eab_required: true });
  const key = await ground.acme.administration.createEabKey('default', { names: { allow: ['*.team.test'] } }, 'system');
  const call = caller(lego, ground);
  const eab = ['--eab', '--kid', key.id, '--hmac', key.hmac_key];
  const http = ['--http', '--http.port', `127.0.0.1:${ground.httpPort}`, 'run'];
  await call(['a.team.test'], [...eab, ...http]);
  assert.match((await call(['a.other.test'], [...eab, ...http], 1)).output, /rejectedIdentifier/);
  assert.deepEqual(await tally(ground), { issued: 1, revoked: 0 });
  recordClient({ client: 'lego', version: await versionOf(lego), does: ['EAB', 'trust'] });
}

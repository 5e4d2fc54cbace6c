import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { startClientGround, tally } from '../../fixtures/client-ground.ts';
import { recordClient } from '../../fixtures/client-matrix.ts';
import { run } from '../../fixtures/command.ts';

// In a process of its own, since it trusts the server's root by NODE_EXTRA_CA_CERTS only.
const PROGRAM = `
import acme from 'acme-client';
import { mkdirSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { createSecureContext, createServer } from 'node:tls';
const { DIRECTORY, WEB_ROOT, HOOK, TLS_PORT, KID, HMAC } = process.env;
const client = new acme.Client({ directoryUrl: DIRECTORY, accountKey: await acme.crypto.createPrivateEcdsaKey(),
  externalAccountBinding: { kid: KID, hmacKey: HMAC } });
const contexts = new Map();
const responder = createServer({ ALPNProtocols: ['acme-tls/1'], SNICallback: (name, done) => done(null, contexts.get(name)) },
  (socket) => socket.on('error', () => {}).end()).listen(Number(TLS_PORT), '127.0.0.1');
const certificates = [];
for (const [type, names] of [
  ['http-01', ['a.npm.test', 'b.npm.test']], ['http-01', ['a.npm.test', 'b.npm.test']], ['tls-alpn-01', ['c.npm.test']],
  ['dns-01', ['*.npm.test', 'npm.test']]]) {
  const [, csr] = await acme.crypto.createCsr({ altNames: names });
  certificates.push(await client.auto({
    csr, email: 'npm@example.org', termsOfServiceAgreed: true, challengePriority: [type], skipChallengeVerification: true,
    challengeCreateFn: async (authorization, challenge, value) => {
      if (type === 'http-01') writeFileSync(WEB_ROOT + '/.well-known/acme-challenge/' + challenge.token, value);
      else if (type === 'tls-alpn-01') {
        const [key, cert] = await acme.crypto.createAlpnCertificate(authorization, value);
        contexts.set(authorization.identifier.value, createSecureContext({ key, cert }));
      } else execFileSync(HOOK, ['set', '_acme-challenge.' + authorization.identifier.value, value]);
    },
    challengeRemoveFn: async () => {},
  }));
}
await client.updateAccountKey(await acme.crypto.createPrivateRsaKey());
await client.revokeCertificate(certificates[0], { reason: 4 });
await client.updateAccount({ status: 'deactivated' });
responder.close();
`;

test('acme-client of npm issues, changes its key, revokes and deactivates', async (t) => {
  const ground = await startClientGround(t, { eab_required: true });
  const eab = await ground.acme.administration.createEabKey('default', {}, 'system');
  await ground.serveWebRoot();
  const program = `${process.cwd()}/node_modules/.acme-client-${process.pid}.mjs`;
  writeFileSync(program, PROGRAM);
  t.after(() => execFileSync('rm', [program]));
  await run(process.execPath, [program], {
    env: {
      DIRECTORY: ground.directoryUrl,
      WEB_ROOT: ground.webRoot,
      HOOK: ground.txtHook,
      TLS_PORT: String(ground.tlsPort),
      KID: eab.id,
      HMAC: eab.hmac_key,
      NODE_EXTRA_CA_CERTS: ground.rootFile,
    },
  });
  assert.deepEqual(await tally(ground), { issued: 4, revoked: 1 });
  recordClient({
    client: 'acme-client (npm)',
    version: '5.4.0',
    does: ['http-01', 'tls-alpn-01', 'dns-01', 'wildcard', 'EAB', 'renew', 'revoke', 'key change'],
    cannot: ['ARI', 'IP'],
  });
});

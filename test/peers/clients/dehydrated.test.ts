import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { createSecureContext, createServer } from 'node:tls';
import { script, startClientGround, tally } from '../../fixtures/client-ground.ts';
import { recordClient } from '../../fixtures/client-matrix.ts';
import { run } from '../../fixtures/command.ts';
import { needProgram } from '../../fixtures/peer.ts';

test('dehydrated issues by every challenge, renews, revokes and deactivates', async (t) => {
  const dehydrated = needProgram(t, 'dehydrated');
  if (dehydrated === undefined) return;
  const ground = await startClientGround(t);
  const { directory, webRoot, txtHook } = ground;
  await ground.serveWebRoot();
  mkdirSync(`${directory}/alpn`);
  const responder = createServer(
    {
      ALPNProtocols: ['acme-tls/1'],
      SNICallback: (name, done) => {
        const read = (part: string) => readFileSync(`${directory}/alpn/${name}.${part}.pem`);
        done(null, createSecureContext({ cert: read('crt'), key: read('key') }));
      },
    },
    (socket) => socket.on('error', () => {}).end(),
  );
  await new Promise<void>((resolve) => responder.listen(ground.tlsPort, '127.0.0.1', resolve));
  t.after(() => responder.close());
  writeFileSync(
    `${directory}/config`,
    `CA="${ground.directoryUrl}"\nCURL_OPTS="--cacert ${ground.rootFile}"\nBASEDIR=${directory}\nWELLKNOWN=${webRoot}/.well-known/acme-challenge\nALPNCERTDIR=${directory}/alpn\nKEY_ALGO=prime256v1\nCONTACT_EMAIL=dehydrated@example.org\n`,
  );
  const hook = script(
    `${directory}/hook`,
    `#!/bin/sh\ncase $1 in deploy_challenge) ${txtHook} set "_acme-challenge.$2" "$4";; clean_challenge) ${txtHook} clear "_acme-challenge.$2";; esac\ntrue\n`,
  );
  const call = (...rest: string[]) => run(dehydrated, ['-f', `${directory}/config`, ...rest]);
  await call('--register', '--accept-terms');
  await call('-c', '-d', 'a.dehydrated.test b.dehydrated.test');
  await call('-c', '-d', 'c.dehydrated.test', '-t', 'tls-alpn-01');
  await call('-c', '-d', '*.d.dehydrated.test', '--alias', 'wild', '-t', 'dns-01', '-k', hook);
  await call('-c', '-x', '-d', 'a.dehydrated.test b.dehydrated.test');
  await call('--revoke', `${directory}/certs/a.dehydrated.test/cert.pem`);
  await call('--account');
  assert.deepEqual(await tally(ground), { issued: 4, revoked: 1 });
  const version = (await run(dehydrated, ['--version'])).output.match(/version: (\S+)/i)?.[1] ?? 'unknown';
  recordClient({
    client: 'dehydrated',
    version,
    does: ['http-01', 'tls-alpn-01', 'dns-01', 'wildcard', 'renew', 'revoke'],
  });
});

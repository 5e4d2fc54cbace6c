import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { TestContext } from 'node:test';
import { createSecureContext, createServer } from 'node:tls';
import { script, startClientGround, tally } from '../../fixtures/client-ground.ts';
import { recordClient } from '../../fixtures/client-matrix.ts';
import { run } from '../../fixtures/command.ts';

/** Everything that dehydrated knows. `newer` knows addresses besides. */
export async function dehydratedStory(t: TestContext, program: string, { newer }: { newer: boolean }): Promise<void> {
  const ground = await startClientGround(t, { eab_required: true });
  const eab = await ground.acme.administration.createEabKey('default', {}, 'system');
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
    `CA="${ground.directoryUrl}"\nCURL_OPTS="--cacert ${ground.rootFile}"\nBASEDIR=${directory}\nWELLKNOWN=${webRoot}/.well-known/acme-challenge\nALPNCERTDIR=${directory}/alpn\nKEY_ALGO=prime256v1\nCONTACT_EMAIL=dehydrated@example.org\nEAB_KID="${eab.id}"\nEAB_HMAC_KEY="${eab.hmac_key}"\n`,
  );
  const hook = script(
    `${directory}/hook`,
    `#!/bin/sh\ncase $1 in deploy_challenge) ${txtHook} set "_acme-challenge.$2" "$4";; clean_challenge) ${txtHook} clear "_acme-challenge.$2";; esac\ntrue\n`,
  );
  const call = (...rest: string[]) => run(program, ['-f', `${directory}/config`, ...rest]);
  await call('--register', '--accept-terms');
  await call('-c', '-d', 'a.dehydrated.test b.dehydrated.test');
  await call('-c', '-d', 'c.dehydrated.test', '-t', 'tls-alpn-01');
  await call('-c', '-d', '*.d.dehydrated.test', '--alias', 'wild', '-t', 'dns-01', '-k', hook);
  await call('-c', '-x', '-d', 'a.dehydrated.test b.dehydrated.test');
  await call('--revoke', `${directory}/certs/a.dehydrated.test/cert.pem`);
  if (newer) await call('-c', '-d', 'ip:127.0.0.1', '--alias', 'address');
  await call('--account');
  assert.deepEqual(await tally(ground), { issued: newer ? 5 : 4, revoked: 1 });
  const version = (await run(program, ['--version'])).output.match(/version: (\S+)/i)?.[1] ?? 'unknown';
  const everywhere = ['http-01', 'tls-alpn-01', 'dns-01', 'wildcard', 'renew', 'revoke', 'EAB'] as const;
  recordClient({
    client: 'dehydrated',
    version,
    does: newer ? [...everywhere, 'IP'] : everywhere,
    cannot: newer ? ['key change', 'ARI'] : ['key change', 'ARI', 'IP'],
  });
}

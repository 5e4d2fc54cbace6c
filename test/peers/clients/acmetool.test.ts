import assert from 'node:assert/strict';
import { mkdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { startClientGround, tally } from '../../fixtures/client-ground.ts';
import { recordClient } from '../../fixtures/client-matrix.ts';
import { run } from '../../fixtures/command.ts';
import { needProgram } from '../../fixtures/peer.ts';

test('acmetool issues by http-01, renews and revokes', async (t) => {
  const acmetool = needProgram(t, 'acmetool');
  if (acmetool === undefined) return;
  const ground = await startClientGround(t);
  await ground.serveWebRoot();
  const { directory, webRoot } = ground;
  const challenges = `${webRoot}/.well-known/acme-challenge`;
  mkdirSync(`${directory}/hooks`);
  // It asks a person; a file answers.
  writeFileSync(
    `${directory}/answers`,
    `"acme-enter-email": "acmetool@example.org"
"acmetool-quickstart-choose-server": ${ground.directoryUrl}
"acmetool-quickstart-choose-method": webroot
"acmetool-quickstart-webroot-path": "${challenges}"
"acmetool-quickstart-webroot-path-unlikely": true
"acmetool-quickstart-key-type": ecdsa
"acmetool-quickstart-ecdsa-curve": nistp256
"acmetool-quickstart-complete": true
"acmetool-quickstart-install-cronjob": false
"acmetool-quickstart-install-haproxy-script": false
"acmetool-quickstart-install-redirector-systemd": false
`,
  );
  const state = join(directory, 'state');
  const files = ['--state', state, '--hooks', `${directory}/hooks`, '--response-file', `${directory}/answers`];
  const call = (...rest: string[]) =>
    run(acmetool, ['--batch', ...files, ...rest], { env: { SSL_CERT_FILE: ground.rootFile } });
  await call('quickstart', '--expert');
  const target = (margin: number) =>
    writeFileSync(
      join(state, 'conf', 'target'),
      `satisfy:\n  margin: ${margin}\nrequest:\n  provider: ${ground.directoryUrl}\n  challenge:\n    webroot-paths: [${challenges}]\n    http-self-test: false\n`,
    );
  target(30);
  await call('want', 'a.acmetool.test', 'b.acmetool.test');
  const live = () => basename(readlinkSync(join(state, 'live', 'a.acmetool.test')));
  const first = live();
  // Due with 200 days left, which is always.
  target(200);
  await call('want', 'a.acmetool.test', 'b.acmetool.test');
  await call('reconcile');
  await call('revoke', first);
  await call('reconcile');
  const { issued, revoked } = await tally(ground);
  assert.ok(issued >= 1 && revoked === 1, `${issued} issued, ${revoked} revoked`);
  recordClient({
    client: 'acmetool',
    version: (await run(acmetool, ['--version'], { expected: 'any' })).output.match(/(\d+\.\d+\.\d+)/)?.[1] ?? '0.2.2',
    does: ['http-01', 'revoke', ...(issued > 1 ? (['renew'] as const) : [])],
    cannot: ['tls-alpn-01', 'IP', 'EAB', 'ARI', 'key change'],
  });
});

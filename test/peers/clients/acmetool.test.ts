import assert from 'node:assert/strict';
import { mkdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { startClientGround, tally } from '../../fixtures/client-ground.ts';
import { recordClient } from '../../fixtures/client-matrix.ts';
import { run } from '../../fixtures/command.ts';
import { needProgram } from '../../fixtures/peer.ts';

test('acmetool issues by http-01, and leaves alone what is not due', async (t) => {
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
  writeFileSync(
    join(state, 'conf', 'target'),
    `request:\n  provider: ${ground.directoryUrl}\n  challenge:\n    webroot-paths: [${challenges}]\n    http-self-test: false\n`,
  );
  await call('want', 'a.acmetool.test', 'b.acmetool.test');
  const live = () => readlinkSync(join(state, 'live', 'a.acmetool.test'));
  const first = live();
  await call('reconcile');
  assert.equal(live(), first);
  assert.equal((await tally(ground)).issued, 1);
  recordClient({
    client: 'acmetool',
    version: '0.2.2',
    does: ['http-01'],
    // Its `revoke` only notes the wish: version 0.2.2 sends nothing, to any server.
    cannot: ['tls-alpn-01', 'IP', 'EAB', 'ARI', 'revoke', 'key change'],
  });
});

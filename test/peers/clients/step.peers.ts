import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startClientGround, tally } from '../../fixtures/client-ground.ts';
import { recordClient } from '../../fixtures/client-matrix.ts';
import { run } from '../../fixtures/command.ts';
import { needGoProgram } from '../../fixtures/go.ts';

test('step issues by http-01 against a server that is not step-ca', async (t) => {
  const step = needGoProgram(t, 'step', 'github.com/smallstep/cli/cmd/step', 'v0.21.0');
  if (step === undefined) return;
  const ground = await startClientGround(t);
  const { directory, httpPort } = ground;
  const call = () =>
    run(
      step,
      [
        ...['ca', 'certificate', 'a.step.test', `${directory}/a.crt`, `${directory}/a.key`, '--force'],
        ...[
          '--acme',
          ground.directoryUrl,
          '--contact',
          'mailto:step@example.org',
          '--san',
          'a.step.test',
          '--san',
          'b.step.test',
        ],
        ...['--standalone', '--http-listen', `127.0.0.1:${httpPort}`],
      ],
      { env: { SSL_CERT_FILE: ground.rootFile, STEPPATH: directory, HOME: directory } },
    );
  await call();
  await call();
  const chain = `${directory}/a.crt`;
  await run('openssl', ['verify', '-CAfile', ground.rootFile, '-untrusted', chain, chain]);
  assert.equal((await tally(ground)).issued, 2);
  recordClient({
    client: 'step',
    version: '0.21.0',
    does: ['http-01', 'renew'],
    cannot: ['tls-alpn-01', 'dns-01', 'wildcard', 'EAB', 'ARI', 'revoke', 'key change'],
  });
});

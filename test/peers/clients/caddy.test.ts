import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { startClientGround, tally } from '../../fixtures/client-ground.ts';
import { recordClient } from '../../fixtures/client-matrix.ts';
import { run } from '../../fixtures/command.ts';
import { needProgram, startPeer } from '../../fixtures/peer.ts';

for (const challenge of ['http-01', 'tls-alpn-01'] as const)
  test(`Caddy serves a name with a certificate that it got by ${challenge}`, async (t) => {
    const caddy = needProgram(t, 'caddy');
    if (caddy === undefined) return;
    const ground = await startClientGround(t);
    const { directory, httpPort, tlsPort, rootFile } = ground;
    const other = challenge === 'http-01' ? 'disable_tlsalpn_challenge' : 'disable_http_challenge';
    writeFileSync(
      `${directory}/Caddyfile`,
      `{\n\tstorage file_system ${directory}/store\n\tadmin off\n\temail caddy@example.org\n\thttp_port ${httpPort}\n\thttps_port ${tlsPort}\n\tdefault_bind 127.0.0.1\n}\na.caddy.test {\n\ttls {\n\t\tissuer acme {\n\t\t\tdir ${ground.directoryUrl}\n\t\t\ttrusted_roots ${rootFile}\n\t\t\t${other}\n\t\t}\n\t}\n\trespond "hello"\n}\n`,
    );
    await startPeer(t, caddy, ['run', '--config', `${directory}/Caddyfile`, '--adapter', 'caddyfile'], {
      log: `${directory}/log`,
      env: { XDG_DATA_HOME: directory, XDG_CONFIG_HOME: directory },
      ready: (output) => output.includes('certificate obtained successfully'),
    });
    const { output } = await run('curl', [
      '-fsS',
      // Caddy says that it has the certificate a moment before it serves it.
      '--retry',
      '50',
      '--retry-all-errors',
      '--retry-delay',
      '0',
      '--retry-max-time',
      '20',
      '--cacert',
      rootFile,
      '--resolve',
      `a.caddy.test:${tlsPort}:127.0.0.1`,
      `https://a.caddy.test:${tlsPort}/`,
    ]);
    assert.equal(output, 'hello');
    assert.equal((await tally(ground)).issued, 1);
    const version = (await run(caddy, ['version'])).output.trim().split(' ')[0] ?? 'unknown';
    recordClient({ client: `Caddy, ${challenge}`, version, does: [challenge] });
  });

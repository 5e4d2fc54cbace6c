import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { replacing, script, startClientGround, tally } from '../../fixtures/client-ground.ts';
import { recordClient } from '../../fixtures/client-matrix.ts';
import { run } from '../../fixtures/command.ts';
import { needProgram, startPeer } from '../../fixtures/peer.ts';
import { until } from '../../fixtures/until.ts';

const MODULES = '/usr/lib/apache2/modules';

for (const challenge of ['http-01', 'tls-alpn-01', 'dns-01'] as const)
  test(`Apache mod_md serves and renews names with certificates that it got by ${challenge} and EAB`, async (t) => {
    const apache = needProgram(t, 'apache2');
    if (apache === undefined) return;
    // A minute, and one before it was made: due with 49 % left, so a second after it was issued.
    const ground = await startClientGround(t, { eab_required: true, max_ttl_seconds: 60 });
    const eab = await ground.acme.administration.createEabKey('default', {}, 'system');
    const { directory, httpPort, tlsPort } = ground;
    // Apache's children read it as another user.
    const rootFile = `${directory}/root.pem`;
    writeFileSync(rootFile, ground.rootPem);
    for (const name of ['md', 'log']) mkdirSync(`${directory}/${name}`);
    writeFileSync(`${ground.webRoot}/index.html`, 'hello');
    // Called as `setup NAME VALUE` and `teardown NAME`.
    const hook = script(
      `${directory}/dns`,
      `#!/bin/sh\ncase $1 in setup) exec ${ground.txtHook} set "_acme-challenge.$2" "$3";; *) exec ${ground.txtHook} clear "_acme-challenge.$2";; esac\n`,
    );
    chmodSync(directory, 0o755);
    const names = challenge === 'dns-01' ? 'a.modmd.test *.a.modmd.test' : 'a.modmd.test';
    writeFileSync(
      `${directory}/httpd.conf`,
      `ServerRoot ${directory}
PidFile ${directory}/httpd.pid
ErrorLog ${directory}/log/error.log
LogLevel info md:debug
ServerName localhost
Listen 127.0.0.1:${httpPort}
Listen 127.0.0.1:${tlsPort}
${['mpm_event', 'authz_core', 'socache_shmcb', 'ssl', 'dir', 'md'].map((name) => `LoadModule ${name}_module ${MODULES}/mod_${name}.so`).join('\n')}
User www-data
Group www-data
MDStoreDir ${directory}/md
MDCertificateAuthority ${ground.directoryUrl}
MDCACertificateFile ${rootFile}
MDCertificateAgreement accepted
MDContactEmail modmd@example.org
MDPortMap http:${httpPort} https:${tlsPort}
MDCAChallenges ${challenge}
MDChallengeDns01 ${hook}
MDExternalAccountBinding ${eab.id} ${eab.hmac_key}
MDRetryDelay 1s
MDRenewWindow 49%
MDRenewViaARI on
MDCheckInterval 1s
MDomain ${names}
<VirtualHost 127.0.0.1:${tlsPort}>
 ServerName a.modmd.test
 Protocols ${challenge === 'tls-alpn-01' ? 'acme-tls/1 ' : ''}http/1.1
 DocumentRoot ${ground.webRoot}
 SSLEngine on
 <Directory ${ground.webRoot}>
  Require all granted
 </Directory>
</VirtualHost>
<VirtualHost 127.0.0.1:${httpPort}>
 ServerName a.modmd.test
</VirtualHost>
`,
    );
    const peer = await startPeer(t, apache, ['-d', directory, '-f', `${directory}/httpd.conf`, '-DFOREGROUND'], {
      log: `${directory}/log/out`,
      // AH10059: the certificate is there and waits for a restart.
      ready: async () =>
        (await run('grep', ['-q', 'AH10059', `${directory}/log/error.log`], { expected: 'any' })).code === 0,
    });
    peer.process.kill('SIGUSR1');
    const page = () =>
      run(
        'curl',
        [
          '-fsS',
          '--cacert',
          rootFile,
          '--resolve',
          `a.modmd.test:${tlsPort}:127.0.0.1`,
          `https://a.modmd.test:${tlsPort}/`,
        ],
        { expected: 'any' },
      );
    await until('the page is served', async () => (await page()).code === 0);
    assert.equal((await page()).output, 'hello');
    await until('the certificate is renewed', async () => (await tally(ground)).issued >= 2);
    assert.ok((await replacing(ground)) > 0);
    const version = (await run(apache, ['-v'])).output.match(/Apache\/(\S+)/)?.[1] ?? 'unknown';
    recordClient({
      client: 'Apache mod_md',
      version,
      does: [challenge, 'EAB', 'renew', 'ARI', ...(challenge === 'dns-01' ? (['wildcard'] as const) : [])],
      cannot: ['IP', 'revoke', 'key change'],
    });
  });

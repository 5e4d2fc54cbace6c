import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { script, startClientGround, tally } from '../../fixtures/client-ground.ts';
import { recordClient } from '../../fixtures/client-matrix.ts';
import { run } from '../../fixtures/command.ts';
import { needProgram, startPeer } from '../../fixtures/peer.ts';

test('uacme issues by every challenge and for an address, changes its key, revokes both ways, deactivates', async (t) => {
  const uacme = needProgram(t, 'uacme');
  const ualpn = needProgram(t, 'ualpn');
  if (uacme === undefined || ualpn === undefined) return;
  const ground = await startClientGround(t, { eab_required: true });
  const eab = await ground.acme.administration.createEabKey('default', {}, 'system');
  const { directory, webRoot, txtHook } = ground;
  await ground.serveWebRoot();
  const socket = `${directory}/ualpn.sock`;
  await startPeer(
    t,
    ualpn,
    [
      '-4',
      '-n',
      '1',
      '-b',
      `127.0.0.1@${ground.tlsPort}`,
      '-c',
      '127.0.0.1@9',
      '-s',
      socket,
      '-S',
      '600',
      '-u',
      'root:root',
    ],
    {
      log: `${directory}/ualpn.log`,
      ready: async () => (await import('node:fs')).existsSync(socket),
    },
  );
  // uacme has no option for the CA of the server, so it gets a private view of the system's bundle.
  writeFileSync(
    `${directory}/bundle.pem`,
    `${readFileSync('/etc/ssl/certs/ca-certificates.crt', 'utf8')}\n${ground.rootPem}`,
  );
  const hook = script(
    `${directory}/hook`,
    `#!/bin/sh
[ "$2" = "$WANT" ] || exit 1
case $1:$2 in
 begin:http-01) printf %s "$5" > ${webRoot}/.well-known/acme-challenge/$4;;
 begin:tls-alpn-01) [ "$(echo "auth $3 $5" | ${ualpn} -s ${socket})" = OK ];;
 begin:dns-01) ${txtHook} set "_acme-challenge.$3" "$5";;
 *) true;;
esac
`,
  );
  const call = (want: string, ...rest: string[]) =>
    run(
      'unshare',
      [
        '-m',
        'sh',
        '-c',
        `mount --make-rprivate / 2>/dev/null; mount --bind ${directory}/bundle.pem /etc/ssl/certs/ca-certificates.crt && exec "$@"`,
        'sh',
        uacme,
        '-y',
        '-a',
        ground.directoryUrl,
        '-c',
        `${directory}/c`,
        '-f',
        ...rest,
      ],
      { env: { WANT: want } },
    );
  await call('', '-e', `${eab.id}:${eab.hmac_key}`, 'new', 'uacme@example.org');
  await call('http-01', '-t', 'EC', '-h', hook, 'issue', 'a.uacme.test', 'b.uacme.test');
  await call('tls-alpn-01', '-h', hook, 'issue', 'c.uacme.test');
  await call('dns-01', '-h', hook, 'issue', '*.d.uacme.test');
  await call('http-01', '-h', hook, 'issue', '127.0.0.1');
  // A name that has a certificate is renewed by issuing it again; days are more than it has left.
  await call('http-01', '-t', 'EC', '-d', '99999', '-h', hook, 'issue', 'a.uacme.test', 'b.uacme.test');
  await call('', 'newkey');
  await call('', '-r', '4', 'revoke', `${directory}/c/a.uacme.test/cert.pem`);
  await call(
    '',
    '-r',
    '1',
    'revoke',
    `${directory}/c/c.uacme.test/cert.pem`,
    `${directory}/c/private/c.uacme.test/key.pem`,
  );
  await call('', 'deactivate');
  assert.deepEqual(await tally(ground), { issued: 5, revoked: 2 });
  const version =
    (await run(uacme, ['--version'], { expected: 'any' })).output.match(/(\d+\.\d+[.\d]*)/)?.[1] ?? 'unknown';
  recordClient({
    client: 'uacme',
    version,
    does: ['http-01', 'tls-alpn-01', 'dns-01', 'wildcard', 'IP', 'EAB', 'renew', 'revoke', 'key change'],
    cannot: ['ARI'],
  });
});

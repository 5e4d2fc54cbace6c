import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { type ClientGround, script, startClientGround, tally } from '../../fixtures/client-ground.ts';
import { recordClient } from '../../fixtures/client-matrix.ts';
import { run } from '../../fixtures/command.ts';
import { blocksOf } from '../../fixtures/documents.ts';
import { startPeer } from '../../fixtures/peer.ts';
import { needTraefik } from '../../fixtures/traefik.ts';
import { until } from '../../fixtures/until.ts';
import { blockWith } from '../../fixtures/walkthrough.ts';

const DOCUMENT = 'acme-traefik.md';
const CANNOT = ['IP', 'ARI', 'revoke', 'key change'] as const;

async function backend(t: TestContext): Promise<string> {
  const server = createServer((_, response) => response.end('hello'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** The files of the document, with this run's places put in; answers how Traefik is started with them. */
async function layOut(t: TestContext, program: string, ground: ClientGround, change: (yaml: string) => string) {
  const { directory, httpPort, tlsPort, rootPem, acme } = ground;
  const key = await acme.administration.createEabKey('default', { names: { allow: ['*.example.com'] } }, 'system');
  writeFileSync(`${directory}/gatehouse-root.pem`, rootPem);
  mkdirSync(`${directory}/dynamic`);
  const place = { '/etc/traefik': directory };
  const yaml = blockWith(DOCUMENT, 'yaml', 0, {
    ...place,
    '":80"': `127.0.0.1:${httpPort}`,
    '":443"': `127.0.0.1:${tlsPort}`,
    'https://gatehouse.example.com:8441/acme/profile/traefik/directory': ground.directoryUrl,
    KEY_ID: key.id,
    HMAC_KEY: key.hmac_key,
  });
  writeFileSync(
    `${directory}/traefik.yml`,
    `global: { checkNewVersion: false, sendAnonymousUsage: false }\n${change(yaml)}`,
  );
  const dynamic = blockWith(DOCUMENT, 'yaml', 1, { '127.0.0.1:3000': await backend(t) });
  const hook = script(
    `${directory}/hook`,
    `#!/bin/sh\ncase $1 in present) exec ${ground.txtHook} set "$2" "$3";; *) exec ${ground.txtHook} clear "$2";; esac\n`,
  );
  return {
    serve: (text = dynamic) => writeFileSync(`${directory}/dynamic/shop.yml`, text),
    dynamic,
    start: () =>
      startPeer(t, program, [`--configFile=${directory}/traefik.yml`], {
        log: `${directory}/log`,
        env: { EXEC_PATH: hook, EXEC_SEQUENCE_INTERVAL: '1', EXEC_POLLING_INTERVAL: '1' },
        ready: (output) => /Starting provider \*acme|Testing certificate renew/.test(output),
      }),
    page: (name = 'shop.example.com') =>
      run(
        'sh',
        [
          '-c',
          blockWith(DOCUMENT, 'sh', 1, {
            '/etc/traefik': directory,
            'https://shop.example.com/': `-sS --resolve ${name}:${tlsPort}:127.0.0.1 https://${name}:${tlsPort}/`,
          }),
        ],
        { expected: 'any' },
      ),
  };
}

const CHALLENGES: Record<'http-01' | 'tls-alpn-01' | 'dns-01', (yaml: string, dns: string) => string> = {
  'http-01': (yaml) => yaml,
  'tls-alpn-01': (yaml) => yaml.replace(/httpChallenge:\n.*entryPoint: web/, 'tlsChallenge: {}'),
  'dns-01': (yaml, dns) =>
    yaml.replace(
      /httpChallenge:\n.*entryPoint: web/,
      `dnsChallenge: { provider: exec, resolvers: ["${dns}"], propagation: { disableChecks: true } }`,
    ),
};

for (const challenge of ['http-01', 'tls-alpn-01', 'dns-01'] as const)
  test(`Traefik follows ${DOCUMENT} with ${challenge}, and renews`, async (t) => {
    const program = needTraefik(t);
    if (program === undefined) return;
    // Shorter than what Traefik takes for soon over, so that it renews when it starts again.
    const ground = await startClientGround(t, { eab_required: true, max_ttl_seconds: 86_400 });
    const laid = await layOut(
      t,
      program,
      ground,
      (yaml) => `log: { level: DEBUG }\n${CHALLENGES[challenge](yaml, ground.dns)}`,
    );
    const wild = challenge === 'dns-01' ? 'Host(`shop.example.com`)' : undefined;
    laid.serve(
      wild === undefined
        ? laid.dynamic
        : laid.dynamic.replace(
            'certResolver: gatehouse',
            'certResolver: gatehouse\n        domains: [{ main: "*.example.com" }]',
          ),
    );
    const traefik = await laid.start();
    await until('the page is served', async () => (await laid.page()).output === 'hello');
    assert.equal((await tally(ground)).issued, 1);
    await traefik.stop();
    const again = await laid.start();
    await until('the certificate is renewed', async () => (await tally(ground)).issued === 2);
    await until('the page is served', async () => (await laid.page()).output === 'hello');
    await again.stop();
    const version = (await run(program, ['version'])).output.match(/Version:\s+(\S+)/)?.[1] ?? 'unknown';
    const does = [challenge, 'EAB', 'renew', ...(wild === undefined ? [] : (['wildcard'] as const))] as const;
    recordClient({ client: 'Traefik', version, does, cannot: CANNOT });
  });

test(`what ${DOCUMENT} says of failures is in Traefik's log, and trust needs no challenge`, async (t) => {
  const program = needTraefik(t);
  if (program === undefined) return;
  const ground = await startClientGround(t, { auth_mode: 'trust_authenticated', eab_required: true });
  const laid = await layOut(
    t,
    program,
    ground,
    (yaml) => `log: { level: DEBUG }\n${CHALLENGES['tls-alpn-01'](yaml, ground.dns)}`,
  );
  laid.serve(laid.dynamic.replaceAll('shop.example.com', 'shop.other.test'));
  const traefik = await laid.start();
  await until('the refusal is logged', async () => traefik.output().includes('rejectedIdentifier'));
  assert.match(traefik.output(), /[Uu]nable to obtain ACME certificate/);
  assert.match(traefik.output(), /not among those the external account key allows/);
  laid.serve();
  await until('the page is served', async () => (await laid.page()).output === 'hello');
  const version = (await run(program, ['version'])).output.match(/Version:\s+(\S+)/)?.[1] ?? 'unknown';
  recordClient({ client: 'Traefik', version, does: ['trust', 'EAB'], cannot: CANNOT });
  assert.equal(blocksOf(`docs/${DOCUMENT}`).length, 5, 'every block of the document is used, here or by its own test');
});

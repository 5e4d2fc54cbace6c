import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { startClientGround, tally } from '../../fixtures/client-ground.ts';
import { run } from '../../fixtures/command.ts';
import { blocksOf } from '../../fixtures/documents.ts';
import { needProgram, startPeer } from '../../fixtures/peer.ts';
import { until } from '../../fixtures/until.ts';
import { blockWith } from '../../fixtures/walkthrough.ts';
import { caddyStory } from './caddy.ts';

const DOCUMENT = 'acme-caddy.md';

for (const challenge of ['http-01', 'tls-alpn-01'] as const)
  test(`Caddy serves and renews a name with certificates that it got by ${challenge} and EAB`, async (t) => {
    const caddy = needProgram(t, 'caddy');
    if (caddy !== undefined) await caddyStory(t, caddy, challenge, { newer: false });
  });

test(`Caddy follows ${DOCUMENT}, and its log has the words that the document explains`, async (t) => {
  const caddy = needProgram(t, 'caddy');
  if (caddy === undefined) return;
  assert.equal(blocksOf(`docs/${DOCUMENT}`).length, 4, 'every block of the document is used, here or by its own test');
  const ground = await startClientGround(t, { eab_required: true });
  const { directory, httpPort, tlsPort } = ground;
  const names = { allow: ['shop.example.com'] };
  const key = await ground.acme.administration.createEabKey('default', { names }, 'system');
  const places = { '/etc/caddy/gatehouse-root.pem': ground.rootFile };
  const file = blockWith(DOCUMENT, 'caddyfile', 0, {
    ...places,
    'https://gatehouse.example.com:8441/acme/profile/caddy/directory': ground.directoryUrl,
    KEY_ID: key.id,
    HMAC_KEY: key.hmac_key,
    'email ops@example.com': `email ops@example.com\n\tadmin off\n\thttp_port ${httpPort}\n\thttps_port ${tlsPort}\n\tdefault_bind 127.0.0.1`,
  });
  const start = (text: string, ready: RegExp) => {
    writeFileSync(`${directory}/Caddyfile`, text);
    return startPeer(t, caddy, ['run', '--config', `${directory}/Caddyfile`, '--adapter', 'caddyfile'], {
      log: `${directory}/log`,
      env: { XDG_DATA_HOME: directory, XDG_CONFIG_HOME: directory },
      ready: (output) => ready.test(output),
    });
  };
  const first = await start(file, /certificate obtained successfully/);
  const check = blockWith(DOCUMENT, 'sh', 1, {
    ...places,
    'https://shop.example.com/': `-sS --resolve shop.example.com:${tlsPort}:127.0.0.1 https://shop.example.com:${tlsPort}/`,
  });
  const page = () => run('sh', ['-c', check], { expected: 'any' });
  await until('the page is served', async () => (await page()).output === 'hello');
  await first.stop();
  // A second site, which the key does not allow.
  const refusal =
    /could not get certificate from issuer.*rejectedIdentifier.*not among those the external account key allows/;
  await start(file.replace('shop.example.com {', 'shop.example.com, other.example.com {'), refusal);
  assert.equal((await tally(ground)).issued, 1);
});

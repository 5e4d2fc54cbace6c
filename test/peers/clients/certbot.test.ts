import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { startClientGround, tally } from '../../fixtures/client-ground.ts';
import { run } from '../../fixtures/command.ts';
import { blocksOf } from '../../fixtures/documents.ts';
import { needProgram } from '../../fixtures/peer.ts';
import { blockWith } from '../../fixtures/walkthrough.ts';
import { certbotStory } from './certbot.ts';

const DOCUMENT = 'acme-certbot.md';

test('certbot issues with EAB, renews, revokes by account and by key, updates and unregisters', async (t) => {
  const certbot = needProgram(t, 'certbot');
  if (certbot !== undefined) await certbotStory(t, certbot, { newer: false });
});

test(`certbot and lego follow ${DOCUMENT}`, async (t) => {
  if (needProgram(t, 'certbot') === undefined || needProgram(t, 'lego') === undefined) return;
  assert.equal(blocksOf(`docs/${DOCUMENT}`).length, 6, 'every block of the document is used, here or by its own test');
  const ground = await startClientGround(t, { eab_required: true });
  const { directory, httpPort, acme } = ground;
  // What certbot cannot be told by the commands of the document: its places, and where port 80 is here.
  mkdirSync(`${directory}/letsencrypt`);
  writeFileSync(
    `${directory}/letsencrypt/cli.ini`,
    `config-dir = ${directory}/live\nwork-dir = ${directory}/work\nlogs-dir = ${directory}/logs\nnon-interactive = true\nhttp-01-address = 127.0.0.1\nhttp-01-port = ${httpPort}\n`,
  );
  const key = () => acme.administration.createEabKey('default', { names: { allow: ['shop.example.com'] } }, 'system');
  const root = { '/etc/gatehouse-root.pem': ground.rootFile };
  const server = { 'https://gatehouse.example.com:8441/acme/profile/machines/directory': ground.directoryUrl };
  const sh = (index: number, values: Record<string, string>) =>
    run('sh', ['-ec', blockWith(DOCUMENT, 'sh', index, values)], {
      env: { XDG_CONFIG_HOME: directory, REQUESTS_CA_BUNDLE: ground.rootFile },
    });
  const first = await key();
  await sh(1, { ...root, ...server, KEY_ID: first.id, HMAC_KEY: first.hmac_key });
  const { output } = await sh(2, { ...root, '/etc/letsencrypt': `${directory}/live` });
  assert.match(output, /Certificate Name: shop\.example\.com/);
  assert.deepEqual(await tally(ground), { issued: 2, revoked: 0 });
  await sh(4, {});
  assert.deepEqual(await tally(ground), { issued: 2, revoked: 1 });
  const second = await key();
  await sh(5, {
    ...root,
    ...server,
    KEY_ID: second.id,
    HMAC_KEY: second.hmac_key,
    '/etc/lego': `${directory}/lego`,
    '--http ': `--http --http.port 127.0.0.1:${httpPort} `,
  });
  assert.deepEqual(await tally(ground), { issued: 3, revoked: 1 });
});

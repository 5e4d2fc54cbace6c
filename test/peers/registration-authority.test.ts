import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { startAcmeServer } from '../fixtures/acme-server.ts';
import { run } from '../fixtures/command.ts';
import { startEngineAtPebble } from '../fixtures/engine.ts';
import { needProgram } from '../fixtures/peer.ts';
import { temporaryDirectory } from '../fixtures/temporary.ts';

const PROFILE = { auth_mode: 'trust_authenticated', eab_required: true, issuer: 'pebble' };

test('lego gets a certificate of Pebble through a profile of ours, and revokes it there', async (t) => {
  const lego = needProgram(t, 'lego');
  const at = lego === undefined ? undefined : await startEngineAtPebble(t);
  if (lego === undefined || at === undefined) return;
  const { store, secrets, pebble, engine } = at;
  const ours = await startAcmeServer(t, { store, secrets, upstream: engine.registrar, profile: PROFILE });
  const key = await ours.acme.administration.createEabKey('default', { names: { allow: ['*.team.test'] } }, 'system');
  const path = temporaryDirectory(t);
  const call = (...rest: string[]) =>
    run(
      lego,
      [
        ...['--server', ours.directoryUrl, '--accept-tos', '--email', 'lego@example.org', '--path', path],
        ...['--eab', '--kid', key.id, '--hmac', key.hmac_key, '--http', ...rest],
      ],
      { env: { LEGO_CA_CERTIFICATES: ours.rootFile } },
    );
  await call('--domains', 'a.team.test', '--domains', 'b.team.test', 'run');
  const file = (name: string) => new X509Certificate(readFileSync(join(path, 'certificates', name)));
  const [leaf, issuer] = [file('a.team.test.crt'), file('a.team.test.issuer.crt')];
  assert.equal(leaf.subjectAltName, 'DNS:a.team.test, DNS:b.team.test');
  assert.match(leaf.issuer, /Pebble/);
  assert.ok(leaf.verify(issuer.publicKey) && issuer.verify(new X509Certificate(await pebble.issuingRoot()).publicKey));
  await call('--domains', 'a.team.test', 'revoke');
  assert.match((await pebble.manage(`cert-status-by-serial/${leaf.serialNumber}`)).text, /Revoked/);
});

test("what the CA behind a profile refuses is told to the client in that CA's words", async (t) => {
  const lego = needProgram(t, 'lego');
  const at =
    lego === undefined
      ? undefined
      : await startEngineAtPebble(t, { pebble: { config: { domainBlocklist: ['a.team.test'] } } });
  if (lego === undefined || at === undefined) return;
  const { store, secrets, engine } = at;
  const profile = { auth_mode: 'trust_authenticated', trust_without_eab: true, issuer: 'pebble' };
  const ours = await startAcmeServer(t, { store, secrets, upstream: engine.registrar, profile });
  const { output } = await run(
    lego,
    [
      ...['--server', ours.directoryUrl, '--accept-tos', '--email', 'lego@example.org'],
      // lego asks for an order that has ended until its time is over.
      ...['--cert.timeout', '2', '--path', temporaryDirectory(t), '--http', '--domains', 'a.team.test', 'run'],
    ],
    { env: { LEGO_CA_CERTIFICATES: ours.rootFile }, expected: 1 },
  );
  assert.match(output, /pebble, by which this profile issues: .*forbidden by policy: "a\.team\.test"/);
});

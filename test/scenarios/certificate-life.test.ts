// A certificate's life at the command line, as an operator leads it: made, rolled, rehearsed, revoked many at once.
import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { startGatehouse } from '../fixtures/gatehouse.ts';
import { until } from '../fixtures/until.ts';

interface Shown {
  readonly id: string;
  readonly status: string;
  readonly served: { readonly serial: string } | null;
  readonly versions: readonly { readonly serial: string; readonly revoked_at: string | null }[];
}

async function operator(t: TestContext) {
  const gatehouse = await startGatehouse(t);
  const cli = async (...argv: string[]): Promise<string> => {
    const { code, stdout, stderr } = await gatehouse.cli(...argv);
    assert.equal(code, 0, `gatehouse ${argv.join(' ')}: ${stderr}`);
    return stdout;
  };
  const show = async (name: string): Promise<Shown> => {
    const headers = { authorization: `Bearer ${gatehouse.ready.admin_token}` };
    const answer = await fetch(`${gatehouse.ready.api}/api/v1/system/acme_certificates/${name}`, { headers });
    return ((await answer.json()) as { data: Shown }).data;
  };
  const valid = (name: string) => until(`${name} is valid`, async () => (await show(name)).status === 'valid');
  return { gatehouse, cli, show, valid };
}

test('key types, addresses, several issuers; then many are revoked: rehearsed, approved, replaced before revoked', async (t) => {
  const { gatehouse, cli, show, valid } = await operator(t);
  await cli('certificates', 'create', 'a.localhost', '--issuer', 'internal-ca', '--key-type', 'rsa-2048');
  await cli('certificates', 'create', '127.0.0.1', '--issuer', 'internal-ca', '--issuer', 'letsencrypt-prod');
  await valid('a.localhost');
  await valid('127.0.0.1');
  const leaf = new X509Certificate(await cli('certificates', 'chain', 'a.localhost'));
  assert.equal(leaf.publicKey.asymmetricKeyType, 'rsa');
  const address = new X509Certificate(await cli('certificates', 'chain', '127.0.0.1'));
  assert.equal(address.subjectAltName, 'IP Address:127.0.0.1');

  const refused = await gatehouse.cli('certificates', 'revoke', 'a.localhost', '--reason', 'superseded');
  assert.match(refused.stderr, /--confirm a\.localhost/);

  const before = await show('a.localhost');
  const rehearsal = await cli('certificates', 'mass-revoke', '--issuer', 'internal-ca');
  assert.match(rehearsal, /2 certificates fit; nothing is done yet/);
  assert.equal((await show('a.localhost')).served?.serial, before.served?.serial);
  const everything = await gatehouse.cli('certificates', 'mass-revoke');
  assert.match(everything.stderr, /say which/);

  const many = [
    'certificates',
    'mass-revoke',
    '--issuer',
    'internal-ca',
    '--reason',
    'superseded',
    '--per-hour',
    '7200',
  ];
  const mission = JSON.parse(await cli(...many, '--propose', '--json')) as { id: string; title: string };
  assert.equal(mission.title, 'Revoke 2 certificates');
  assert.match(await cli('missions', 'approve', mission.id), /✓/);
  await until('a.localhost is replaced, and its old version revoked', async () => {
    const { status, served, versions } = await show('a.localhost');
    const old = versions.find(({ serial }) => serial === before.served?.serial);
    return status === 'valid' && served?.serial !== before.served?.serial && old?.revoked_at != null;
  });
});

test('the account of an issuer: its terms, what is left of limits, and a new key', async (t) => {
  const { cli, valid } = await operator(t);
  await cli('certificates', 'create', 'a.localhost', '--issuer', 'internal-ca');
  await valid('a.localhost');
  assert.match(
    await cli('issuers', 'roll-over-key', 'internal-ca'),
    /✓ internal-ca: the account https:.* has a new key/,
  );
  await cli('certificates', 'create', 'b.localhost', '--issuer', 'internal-ca');
  await valid('b.localhost');
  const left = await cli('issuers', 'quota', 'letsencrypt-prod', 'shop.example.com');
  assert.match(left, /50 of 50 certificates for the registered domain left for example\.com/);
  assert.match(left, /300 of 300 new orders of our account left/);
});

// `gatehouse doctor NAME --staging`: the whole issue, tried at a CA whose certificates nobody trusts.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Certificate, DoctorFinding } from '../../src/contract/index.ts';
import { callerOf, startGatehouse } from '../fixtures/gatehouse.ts';
import { startPebble } from '../fixtures/pebble.ts';

test('the whole issue is tried at staging, each step is shown, and nothing of it is kept or served', async (t) => {
  const pebble = await startPebble(t, { config: { domainBlocklist: ['blocked.shop.example'] } });
  if (pebble === undefined) return;
  const ports = { https: pebble.tlsPort, http: pebble.httpPort, api: 0, acme: 0 };
  const gatehouse = await startGatehouse(t, { ports });
  const call = callerOf(gatehouse);
  const add = (id: string, ...more: string[]) =>
    gatehouse.cli('issuers', 'add', pebble.directory, '--id', id, '--ca-file', pebble.caFile, ...more);
  assert.equal((await add('trial', '--staging')).code, 0);
  assert.equal((await add('real')).code, 0);

  const tried = await gatehouse.cli('doctor', 'a.shop.localhost', '--staging', '--issuer', 'trial');
  assert.equal(tried.code, 0, tried.stdout + tried.stderr);
  assert.match(tried.stdout, /✓ order /);
  assert.match(tried.stdout, /✓ validation /);
  assert.match(tried.stdout, /✓ staging +trial issued a certificate for a\.shop\.localhost; it was thrown away/);
  assert.deepEqual(await call<Certificate[]>('GET', '/system/acme_certificates'), []);

  const refused = { name: 'blocked.shop.example', issuer: 'trial' };
  const last = (await call<DoctorFinding[]>('POST', '/system/doctor/staging', refused)).at(-1);
  assert.equal(last?.outcome, 'wrong');
  assert.match(last.detail, /^trial: .*blocked\.shop\.example/);
  assert.ok(last.advice);

  const production = await gatehouse.cli('doctor', 'a.shop.localhost', '--issuer', 'real');
  assert.notEqual(production.code, 0);
  assert.match(production.stderr, /real is not for trying/);
});

import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { startAcmeServer } from '../../test/fixtures/acme-server.ts';
import { RawAcme } from '../../test/fixtures/raw-acme.ts';
import { createCertificationRequest, parsePem } from '../x509/index.ts';

/** Lines of the text that begin with the name, with their braces. */
const linesOf = (text: string, name: string) =>
  text.split('\n').filter((line) => new RegExp(`^${name}[{ ]`).test(line));

test('orders, certificates, limits, nonces and problems are counted', async (t) => {
  const { directoryUrl, acme, ca } = await startAcmeServer(t, {
    plain: true,
    profile: { auth_mode: 'trust_authenticated', trust_without_eab: true, limits: { orders: { count: 2 } } },
  });
  const client = await new RawAcme(directoryUrl).start();
  await client.register();
  const order = await client.order(['a.example']);
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const csr = createCertificationRequest(['a.example'], privateKey).toString('base64url');
  const { certificate } = (await client.post(order.json.finalize, { csr })).json;
  const [leaf] = parsePem('CERTIFICATE', (await client.post(certificate, '')).text);
  await client.post(client.directory.revokeCert!, { certificate: leaf!.toString('base64url') });
  await client.order(['b.example']);
  await client.order(['c.example']);
  await client.post(client.kid!, '', { nonce: 'AAAA' });
  const text = await acme.metrics();
  const has = (line: string) => assert.ok(text.includes(`${line}\n`), `${line} is not in\n${text}`);
  has('gatehouse_acme_accounts_created_total{profile="default"} 1');
  has('gatehouse_acme_orders_total{profile="default",result="created"} 2');
  has('gatehouse_acme_orders_total{profile="default",result="valid"} 1');
  has('gatehouse_acme_certificates_issued_total{profile="default",issuer="own"} 1');
  has('gatehouse_acme_certificates_revoked_total{profile="default",by="account"} 1');
  has('gatehouse_acme_rate_limited_total{limit="orders"} 1');
  has('gatehouse_acme_problems_total{type="rateLimited"} 1');
  has('gatehouse_acme_nonces_refused_total 1');
  has('gatehouse_acme_open_orders 1');
  has('gatehouse_acme_requests_total{resource="order/*/finalize",status="200"} 1');
  has('gatehouse_acme_request_duration_seconds_count{resource="order/*/finalize"} 1');
  assert.match(await ca.metrics(), /^gatehouse_ca_signatures_total\{what="certificate"\} 2$/m);
});

test('a validation is counted by type and outcome, with how long it took', async (t) => {
  const { directoryUrl, acme } = await startAcmeServer(t, {
    plain: true,
    // Port 1 of loopback, where nothing listens.
    profile: { validation: { http_port: 1, allowed_cidrs: ['127.0.0.0/8', '::1/128'] } },
  });
  const client = await new RawAcme(directoryUrl).start();
  await client.register();
  const order = await client.order(['a.localhost']);
  const { challenges } = (await client.post(order.json.authorizations[0], '')).json;
  await client.post(challenges.find(({ type }: { type: string }) => type === 'http-01').url, {});
  await acme.idle();
  const text = await acme.metrics();
  assert.deepEqual(linesOf(text, 'gatehouse_acme_validations_total'), [
    'gatehouse_acme_validations_total{type="http-01",result="connection"} 1',
  ]);
  assert.deepEqual(linesOf(text, 'gatehouse_acme_validation_duration_seconds_count'), [
    'gatehouse_acme_validation_duration_seconds_count{type="http-01"} 1',
  ]);
  assert.deepEqual(linesOf(text, 'gatehouse_acme_validations'), [
    'gatehouse_acme_validations{state="waiting"} 0',
    'gatehouse_acme_validations{state="under_way"} 0',
  ]);
});

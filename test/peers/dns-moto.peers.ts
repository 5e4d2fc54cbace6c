// Route 53 as moto plays it: a server that others wrote, which reads requests by AWS's own description of the API.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Clock } from '../../src/base/index.ts';
import { ask } from '../../src/dns/index.ts';
import { openProvider } from '../../src/solvers/dns/open-provider.ts';
import { longestZone } from '../../src/solvers/dns/provider.ts';
import { answers, startPeer } from '../fixtures/peer.ts';
import { needPypiProgram } from '../fixtures/pypi.ts';
import { freePort, temporaryDirectory } from '../fixtures/temporary.ts';

const XMLNS = 'https://route53.amazonaws.com/doc/2013-04-01/';
const clock: Clock = { now: () => Date.now(), sleep: async () => {} };

async function startMoto(t: TestContext): Promise<string | undefined> {
  const script = needPypiProgram(t, 'moto_server', 'moto[server]==5.2.5');
  if (script === undefined) return undefined;
  const port = await freePort();
  // Not the script: its first line leads to where the environment was made.
  await startPeer(t, join(script, '../python3'), ['-m', 'moto.server', '-H', '127.0.0.1', '-p', String(port)], {
    log: join(temporaryDirectory(t), 'moto.log'),
    ready: () => answers(port),
  });
  return `http://127.0.0.1:${port}`;
}

test('moto: zones are listed, and several TXT values at one name are kept apart', async (t) => {
  const endpoint = await startMoto(t);
  if (endpoint === undefined) return;
  const signal = AbortSignal.timeout(60_000);
  // moto tells its services apart by the scope of the signature.
  const scope = 'AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/route53/aws4_request, SignedHeaders=host';
  const headers = { authorization: `${scope}, Signature=0`, 'content-type': 'text/xml' };
  for (const zone of ['shop.test', 'deep.shop.test']) {
    const body = `<CreateHostedZoneRequest xmlns="${XMLNS}"><Name>${zone}.</Name><CallerReference>${zone}</CallerReference></CreateHostedZoneRequest>`;
    const made: Response = await fetch(`${endpoint}/2013-04-01/hostedzone`, { method: 'POST', body, headers });
    assert.equal(made.status, 201);
  }
  const fields = { access_key_id: 'AKIDEXAMPLE0000ROUTE', secret_access_key: 'secret-of-a-test', endpoint };
  const provider = await openProvider('route53', fields, { clock, ask, programs: '/nowhere' });
  const name = '_acme-challenge.www.deep.shop.test';
  const zone = longestZone(await provider.zones!(signal, 'deep.shop.test'), name);
  assert.equal(zone?.name, 'deep.shop.test');
  assert.deepEqual((await provider.zones!(signal)).map((one) => one.name).sort(), ['deep.shop.test', 'shop.test']);

  const held = async () => {
    const sets = await (await fetch(`${endpoint}/2013-04-01/hostedzone/${zone.ref}/rrset`, { headers })).text();
    return [...sets.matchAll(/<Value>(?:"|&quot;)(.*?)(?:"|&quot;)<\/Value>/g)].map(([, value]) => value).sort();
  };
  const one = await provider.add(zone, { name, value: 'value-one_A' }, signal);
  await provider.add(zone, { name, value: 'value-two_B' }, signal);
  assert.deepEqual(await held(), ['value-one_A', 'value-two_B']);
  await provider.remove(zone, { name, value: 'value-one_A' }, one, signal);
  assert.deepEqual(await held(), ['value-two_B']);
  // As after a crash between the call and its answer: the id is not known.
  await provider.remove(zone, { name, value: 'value-two_B' }, undefined, signal);
  assert.deepEqual(await held(), []);
});

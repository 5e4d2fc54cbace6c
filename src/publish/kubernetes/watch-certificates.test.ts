import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { type KubeApi, startKubeApi } from '../../../test/fixtures/kube-api.ts';
import { until } from '../../../test/fixtures/until.ts';
import { silentLogger, systemClock } from '../../base/index.ts';
import type { ClusterCertificate } from './certificate-status.ts';
import { createKubeClient } from './client.ts';
import { ITEM_LABEL, MANAGED_BY } from './objects.ts';
import { watchCertificates } from './watch-certificates.ts';

const CERT = 'cert-a-shop-example-com';

async function watching(t: TestContext) {
  const api = await startKubeApi(t);
  const client = createKubeClient({ server: api.url });
  const seen = new Map<string, ClusterCertificate | undefined>();
  let failing = false;
  const abort = new AbortController();
  const running = watchCertificates(
    {
      client,
      namespace: 'paas-apps',
      clock: systemClock,
      log: silentLogger,
      async onStatus(item, _name, status) {
        if (failing) throw new Error('the store is away');
        seen.set(item, status);
      },
    },
    abort.signal,
  );
  t.after(async () => {
    abort.abort(new Error('over'));
    await running;
    await client.close();
  });
  return { api, seen, fail: (value: boolean) => (failing = value) };
}

const certificate = (api: KubeApi, conditions: object[], more: object = {}) =>
  api.put('certificates', {
    apiVersion: 'cert-manager.io/v1',
    kind: 'Certificate',
    metadata: { name: CERT, labels: { ...MANAGED_BY, [ITEM_LABEL]: 'dom_1' } } as { name: string },
    spec: { dnsNames: ['shop.example.com'] },
    status: { conditions, ...more },
  });
const child = (api: KubeApi, plural: string, kind: string, name: string, owner: [string, string], status: object) =>
  api.put(plural, {
    apiVersion: kind === 'CertificateRequest' ? 'cert-manager.io/v1' : 'acme.cert-manager.io/v1',
    kind,
    metadata: { name, ownerReferences: [{ kind: owner[0], name: owner[1] }] } as { name: string },
    status,
  });
const condition = (type: string, status: string, reason = '', message = '') => ({ type, status, reason, message });

test('from made to issued, with what order and challenge say meanwhile, in whatever order it comes', async (t) => {
  const { api, seen } = await watching(t);
  // The challenge comes first, as it may when four watches race.
  child(api, 'challenges', 'Challenge', 'ch', ['Order', 'ord'], {
    state: 'pending',
    reason: 'self check: no such host',
  });
  certificate(api, [condition('Ready', 'False', 'DoesNotExist'), condition('Issuing', 'True')]);
  await until('pending', async () => seen.get('dom_1')?.status === 'pending');
  child(api, 'certificaterequests', 'CertificateRequest', 'cr', ['Certificate', CERT], {});
  child(api, 'orders', 'Order', 'ord', ['CertificateRequest', 'cr'], { state: 'pending' });
  await until('carried up', async () => seen.get('dom_1')?.problems.at(-1)?.detail === 'self check: no such host');
  api.drop('challenges', 'ch');
  certificate(api, [condition('Ready', 'True', 'Ready', 'is up to date')], { notAfter: '2027-01-01T00:00:00Z' });
  const good = () => seen.get('dom_1')?.status === 'issued' && seen.get('dom_1')?.problems.length === 0;
  await until('issued, and the challenge forgotten', async () => good());
  assert.equal(seen.get('dom_1')?.notAfter, Date.UTC(2027, 0, 1));
  certificate(api, [condition('Ready', 'True'), condition('Issuing', 'True')]);
  await until('renewing', async () => seen.get('dom_1')?.status === 'renewing');
  api.drop('certificates', CERT);
  await until('gone', async () => seen.has('dom_1') && seen.get('dom_1') === undefined);
});

test('a watch that is too old begins again from a list, and what could not be noted is noted later', async (t) => {
  const { api, seen, fail } = await watching(t);
  certificate(api, [condition('Ready', 'False', 'Pending')]);
  await until('seen', async () => seen.has('dom_1'));
  fail(true);
  api.compact();
  certificate(api, [condition('Ready', 'True')]);
  fail(false);
  await until('issued', async () => seen.get('dom_1')?.status === 'issued');
});

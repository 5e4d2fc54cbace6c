import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultSettings } from '../plane/settings.ts';
import type { PlannedCertificates, PlannedListener, ProxyPlan } from './plan-proxy.ts';
import { planReload } from './plan-reload.ts';

const acme = (cacheDir: string): PlannedCertificates => ({
  mode: 'acme',
  acme: { names: ['a.test'], directory: 'https://ca.test/', cacheDir, key_type: 'ec-p256', challenge: 'auto' },
});
const listener = (id: string, httpsPort: number, certificates: PlannedCertificates): PlannedListener => ({
  plan: { id, address: '127.0.0.1', httpsPort, proxyProtocolFrom: [] },
  certificates,
});
const plan = (...listeners: PlannedListener[]): ProxyPlan => ({
  listeners,
  routes: [],
  plane: defaultSettings,
  accessLog: { format: 'off' },
});
const idsOf = (stages: ProxyPlan[]) => stages.map(({ listeners }) => listeners.map(({ plan: { id } }) => id));

test('an ACME listener that is new comes before anything goes, unless it takes what another has', () => {
  const before = plan(listener('one', 443, { mode: 'none' }), listener('two', 0, acme('/two')));
  const reload = (...listeners: PlannedListener[]) => idsOf(planReload(before, plan(...listeners)));
  assert.deepEqual(reload(listener('new', 444, acme('/new'))), [['one', 'two', 'new'], ['new']]);
  assert.deepEqual(reload(listener('new', 0, acme('/new'))), [['one', 'two', 'new'], ['new']]);
  assert.deepEqual(reload(listener('new', 443, acme('/new'))), [['new']]);
  assert.deepEqual(reload(listener('new', 444, acme('/two'))), [['new']]);
  assert.deepEqual(reload(listener('new', 444, { mode: 'none' })), [['new']]);
  assert.deepEqual(reload(listener('two', 445, acme('/two'))), [['two']]);
});

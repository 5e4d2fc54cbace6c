import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { temporaryDirectory } from '../../test/fixtures/temporary.ts';
import { loadUpConfig } from './config.ts';
import { planEdge, readClientCa } from './edge-config.ts';

const plan = (file: string | undefined, env: NodeJS.ProcessEnv = {}) => {
  const { edge } = loadUpConfig(file, env);
  return planEdge(edge, { awaitCertificateMs: 0, clientCa: 'PEM' });
};

test('the edge of `up` takes limits, trusted proxies, access log and clients from the file, and the environment on top', (t) => {
  const file = join(temporaryDirectory(t), 'up.yaml');
  writeFileSync(
    file,
    `edge:
  client_certificates: required
  trusted_proxies: [10.0.0.0/8]
  access_log: { format: combined }
  tls: { min_version: '1.3', groups: [X25519], handshakes_per_second: 9, http2: false }
  protocol_engine: node
  limits: { body_bytes: 10, requests_per_address: { per_second: 2, burst: 5 } }
`,
  );
  const env = { GATEHOUSE_EDGE_LIMITS_HEADER_SECONDS: '2.5', GATEHOUSE_EDGE_PROXY_PROTOCOL_FROM: '192.0.2.1' };
  const { listeners, plane, accessLog } = plan(file, env);
  assert.deepEqual(listeners[0]?.tls?.clientCertificates, { mode: 'required', ca: 'PEM' });
  const { policy, http2, handshakeMs, handshakesPerSecond } = listeners[0]!.tls!;
  assert.deepEqual([policy.minVersion, policy.groups, http2], ['TLSv1.3', ['X25519'], false]);
  assert.deepEqual([handshakeMs, handshakesPerSecond], [10_000, 9]);
  assert.equal(plane.protocolEngine, 'node');
  assert.deepEqual(listeners[0]?.proxyProtocolFrom, ['192.0.2.1']);
  assert.deepEqual(plane.trustedProxies, ['10.0.0.0/8']);
  assert.equal(plane.limits.bodyBytes, 10);
  assert.equal(plane.limits.headMs, 2_500);
  assert.deepEqual(plane.limits.requestsPerAddress, { perSecond: 2, burst: 5 });
  assert.equal(accessLog.format, 'combined');
  assert.equal(plan(undefined).listeners[0]?.tls?.clientCertificates, undefined);
});

test('what cannot be used is said by name', () => {
  assert.throws(() => plan(undefined, { GATEHOUSE_EDGE_LIMITS_HEADER_SECONDS: 'soon' }), /is not a number/);
  const { edge } = loadUpConfig(undefined, { GATEHOUSE_EDGE_CLIENT_CA_FILE: '/nowhere/ca.pem' });
  assert.throws(
    () => plan(undefined, { GATEHOUSE_EDGE_TLS_MAX_VERSION: '1.2', GATEHOUSE_EDGE_TLS_MIN_VERSION: '1.3' }),
    /edge\.tls\.min_version: is newer/,
  );
  assert.throws(() => readClientCa(edge), /edge\.client_ca_file: \/nowhere\/ca\.pem cannot be read/);
});

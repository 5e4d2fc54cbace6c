// The ACME server alone in a process, for the bench: node bench/acme/server.ts STORE MODE HTTP_PORT
// Prints one JSON line when it listens; on SIGUSR2, one with the processor time and memory it has used.
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createAcmeServer } from '../../src/acme-server/index.ts';
import { createLogger, systemClock } from '../../src/base/index.ts';
import { createCertificateAuthority } from '../../src/ca/index.ts';
import { createSealedSecretStore, createSealer } from '../../src/secrets/index.ts';
import { openStore } from '../../src/store/index.ts';

const [url = ':memory:', mode = 'trust', httpPort = '80'] = process.argv.slice(2);
const store = await openStore({ url });
const secrets = createSealedSecretStore(store, createSealer([Buffer.alloc(32, 7)]), systemClock);
const ca = await createCertificateAuthority({ store, secrets, clock: systemClock });
let origin = '';
const acme = await createAcmeServer({
  store,
  secrets,
  clock: systemClock,
  ca,
  logger: createLogger({ level: 'warn' }),
  origins: () => [origin],
});
const unlimited = { count: 1_000_000_000, per_seconds: 1 };
await acme.administration.createProfile(
  {
    id: 'bench',
    default: true,
    ...(mode === 'trust' && { auth_mode: 'trust_authenticated', eab_required: true }),
    validation: { http_port: Number(httpPort), allowed_cidrs: ['127.0.0.0/8', '::1/128'] },
    limits: {
      orders: unlimited,
      accounts_per_address: unlimited,
      challenge_responses: unlimited,
      open_orders: 1_000_000,
    },
  },
  'system',
);
const eabKeys = [];
for (let i = 0; mode === 'trust' && i < 64; i++) {
  const { id, hmac_key } = await acme.administration.createEabKey(
    'bench',
    { names: { allow: ['*.bench.localhost'] } },
    'system',
  );
  eabKeys.push({ kid: id, hmac: hmac_key });
}
const { chainPem, keyPem } = await ca.issueServerCertificate(['localhost']);
const server = createServer({ cert: chainPem, key: keyPem }, acme.handler);
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
origin = `https://localhost:${(server.address() as AddressInfo).port}`;
console.log(JSON.stringify({ directory: `${origin}/acme/directory`, root: ca.rootPem(), eabKeys }));
process.on('SIGUSR2', () => {
  const { user, system } = process.cpuUsage();
  console.log(JSON.stringify({ cpuMs: (user + system) / 1000, rssMb: process.memoryUsage.rss() / 2 ** 20 }));
});
process.on('SIGTERM', () => process.exit(0));

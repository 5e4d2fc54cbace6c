// The ACME server alone in a process, for the bench: node bench/acme/server.ts STORE MODE HTTP_PORT [STEP]
// Prints one JSON line when it listens; on SIGUSR2, one with the processor time and memory it has used. With STEP, its
// clock stands still but for STEP milliseconds at each finalized order, so that a soak of minutes sees things expire.
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { collectGarbage } from '../../src/acme-server/collection.ts';
import { createAcmeServer } from '../../src/acme-server/index.ts';
import { createLogger, createVirtualClock, systemClock } from '../../src/base/index.ts';
import { createCertificateAuthority } from '../../src/ca/index.ts';
import { createSealedSecretStore, createSealer } from '../../src/secrets/index.ts';
import { openStore } from '../../src/store/index.ts';

const [url = ':memory:', mode = 'trust', httpPort = '80', step] = process.argv.slice(2);
const virtual = createVirtualClock(Date.now());
const clock = step === undefined ? systemClock : virtual;
const store = await openStore({ url });
const secrets = createSealedSecretStore(store, createSealer([Buffer.alloc(32, 7)]), clock);
const ca = await createCertificateAuthority({ store, secrets, clock });
let origin = '';
const acme = await createAcmeServer({
  store,
  secrets,
  clock,
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
    // Short enough that a soak outlives them.
    ...(step !== undefined && { default_ttl_seconds: 7 * 86_400 }),
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
const COLLECT_EACH = 1_000;
let finalized = 0;
const handler: typeof acme.handler = (request, response) => {
  if (step !== undefined && request.url?.endsWith('/finalize') === true) {
    virtual.set(virtual.now() + Number(step));
    if (++finalized % COLLECT_EACH === 0) void collectGarbage({ store, clock });
  }
  acme.handler(request, response);
};
const server = createServer({ cert: chainPem, key: keyPem }, handler);
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
origin = `https://localhost:${(server.address() as AddressInfo).port}`;
console.log(JSON.stringify({ directory: `${origin}/acme/directory`, root: ca.rootPem(), eabKeys }));
const countOf = async (table: 'acme_order' | 'ca_certificate' | 'audit_event') =>
  Number(
    (
      await store.db
        .selectFrom(table)
        .select((e) => e.fn.countAll().as('n'))
        .executeTakeFirstOrThrow()
    ).n,
  );
process.on('SIGUSR2', async () => {
  const { user, system } = process.cpuUsage();
  const rows =
    step === undefined
      ? undefined
      : {
          orders: await countOf('acme_order'),
          certificates: await countOf('ca_certificate'),
          audit: await countOf('audit_event'),
        };
  // What is still held, not what nobody has collected yet.
  global.gc?.();
  const { rss, heapUsed, external } = process.memoryUsage();
  console.log(
    JSON.stringify({
      cpuMs: (user + system) / 1000,
      rssMb: rss / 2 ** 20,
      heapMb: (heapUsed + external) / 2 ** 20,
      rows,
    }),
  );
});
process.on('SIGTERM', () => process.exit(0));

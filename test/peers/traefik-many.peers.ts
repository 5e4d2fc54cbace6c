// Five thousand routes with a certificate each, at real Traefik: what one more costs us, and when Traefik serves it.
import assert from 'node:assert/strict';
import { readdirSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { systemClock } from '../../src/base/index.ts';
import { createPublishedWorld, type PublishedWorld } from '../fixtures/published-world.ts';
import { needTraefik, shownCertificate, startTraefik } from '../fixtures/traefik.ts';
import { TRAEFIK_PROVIDERS } from '../fixtures/traefik-providers.ts';
import { until } from '../fixtures/until.ts';

const ROUTES = Number(process.env.GATEHOUSE_ROUTES ?? 5_000);
const ADDED = 5;
/** Traefik's own pauses when nothing else is configured: it gathers changes for 2 s, and polls every 5 s. */
const TRAEFIK_DEFAULTS = { providersThrottleDuration: '2s' };

async function upstream(t: TestContext): Promise<string> {
  const server = createServer((_, response) => response.end('ok'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function addDomains(world: PublishedWorld, app: string, from: number, to: number): Promise<void> {
  const add = async (i: number) => {
    const name = `shop-${i}.example.com`;
    await world.domain(app, name, { certificate_id: await world.certificate(name) });
  };
  const AT_ONCE = 50;
  for (let i = from; i < to; i += AT_ONCE)
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, to - i) }, (_, k) => add(i + k)));
}

const median = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
const words = (values: number[]) => `${median(values).toFixed(0)} ms (${values.map((v) => v.toFixed(0)).join(', ')})`;

for (const [provider, make] of Object.entries(TRAEFIK_PROVIDERS))
  test(`Traefik, ${provider}: one more beside ${ROUTES} routes`, { timeout: 280_000 }, async (t) => {
    const program = needTraefik(t);
    if (program === undefined) return;
    const world = await createPublishedWorld(t, systemClock);
    const app = await world.app(await upstream(t));
    await addDomains(world, app, 0, ROUTES);
    const { providers, publisher } = await make(t, world);
    const publishedIn = await until('published', async () => publisher.state().position !== undefined, 120_000);
    const config = providers as { file?: { directory: string }; http?: { endpoint: string } };
    const traefik = await startTraefik(t, program, {
      ...config,
      ...TRAEFIK_DEFAULTS,
      ...(config.http && { http: { endpoint: config.http.endpoint, pollInterval: '5s' } }),
    });
    const shows = async (i: number) =>
      (await shownCertificate(traefik.httpsPort, `shop-${i}.example.com`)).subjectaltname ===
      `DNS:shop-${i}.example.com`;
    const loadedIn = await until('loaded', () => shows(ROUTES - 1), 120_000);

    const delivered: number[] = [];
    const served: number[] = [];
    const inodes = (directory: string) =>
      new Set(readdirSync(directory).map((file) => statSync(join(directory, file), { bigint: true }).ino));
    for (let i = ROUTES; i < ROUTES + ADDED; i++) {
      const before = config.file && inodes(config.file.directory);
      const start = performance.now();
      await addDomains(world, app, i, i + 1);
      const wanted = (
        await world.store.db
          .selectFrom('change_log')
          .select((e) => e.fn.max('seq').as('seq'))
          .executeTakeFirstOrThrow()
      ).seq;
      while ((publisher.state().position ?? 0) < wanted) await new Promise((resolve) => setImmediate(resolve));
      delivered.push(performance.now() - start);
      await until('served', () => shows(i), 60_000);
      served.push(performance.now() - start);
      if (config.file && before)
        // A file for the route, one for the certificate, and its chain and key: whatever else is there.
        assert.equal([...inodes(config.file.directory)].filter((inode) => !before.has(inode)).length, 4);
    }
    t.diagnostic(
      `measured: ${provider}: ${ROUTES} routes published in ${(publishedIn / 1000).toFixed(1)} s and read by Traefik in ${(loadedIn / 1000).toFixed(1)} s; one more: delivered in ${words(delivered)}, served by Traefik in ${words(served)}`,
    );
  });

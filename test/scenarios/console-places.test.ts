/// <reference lib="dom" />
// Every place of the console with something in it: there, accessible by axe, and fitting narrow and wide, light and dark.
// GATEHOUSE_PICTURES=docs/pictures keeps screenshots.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { accessibilityFindings, startBrowser } from '../fixtures/browser.ts';
import { goTo, signedIn } from '../fixtures/console.ts';
import { furnish, startConsoleWorld, ZONE } from '../fixtures/console-world.ts';
import { startSampleUpstream } from '../fixtures/sample-upstream.ts';

const PLACES: Record<string, { path: string; heading: string; shows: string }> = {
  overview: { path: '/app', heading: 'Overview', shows: 'Handshakes' },
  domains: { path: '/app/domains', heading: 'Domains', shows: `www.${ZONE}` },
  domain: { path: `/app/domains/blog/not-yet.${ZONE}`, heading: `not-yet.${ZONE}`, shows: 'missing' },
  'on-demand': { path: '/app/domains/blog/seldom.localhost', heading: 'seldom.localhost', shows: 'Claimed on demand' },
  routes: { path: '/app/system/ingress/routes', heading: 'Ingress', shows: 'Host(`www' },
  expose: { path: '/app/system/ingress/expose', heading: 'Ingress', shows: 'Mission approval' },
  certificates: { path: '/app/system/acme/certificates', heading: 'Certificates', shows: `www.${ZONE}` },
  issuers: { path: '/app/system/acme/issuers', heading: 'Issuers', shows: 'letsencrypt-prod' },
  'dns-credentials': { path: '/app/system/acme/dns-credentials', heading: 'DNS credentials', shows: 'No credential' },
  ca: { path: '/app/system/acme/profiles', heading: 'Our CA', shows: 'corp' },
  accounts: { path: '/app/system/acme/accounts', heading: 'Accounts', shows: 'acct_' },
  network: { path: '/app/system/network/networks', heading: 'Network', shows: 'core' },
  peers: { path: '/app/system/network/peers', heading: 'Network', shows: 'metrics-1' },
  'port-mappings': { path: '/app/system/network/port-mappings', heading: 'Network', shows: '9443/tcp' },
  missions: { path: '/app/missions', heading: 'Missions', shows: 'Approve' },
  audit: { path: '/app/audit', heading: 'Audit', shows: 'session.open' },
  tokens: { path: '/app/tokens', heading: 'Tokens', shows: 'deploy pipeline' },
  settings: { path: '/app/settings', heading: 'Settings', shows: 'Certificate authority' },
};
const WIDTHS = [360, 768, 1280, 2560] as const;
const TRIED_BY_AXE = [360, 1280] as const;
/** The product's pictures in its documents. */
const PICTURED = ['overview', 'domain', 'routes', 'expose', 'certificates', 'ca', 'missions'];

test('every place of the console', async (t) => {
  const browser = await startBrowser(t);
  if (browser === undefined) return;
  const world = await startConsoleWorld(t);
  await furnish(world, (await startSampleUpstream(t)).url);
  const { gatehouse } = world;
  const page = await signedIn(t, browser, gatehouse);
  await goTo(page, gatehouse, `/app/domains/shop/www.${ZONE}`, `www.${ZONE}`);
  await page.getByText('issued', { exact: true }).first().waitFor();

  for (const [name, { path, heading, shows }] of Object.entries(PLACES))
    await t.test(`${name} is there, accessible, and fits narrow and wide, light and dark`, async () => {
      await goTo(page, gatehouse, path, heading);
      await page.getByText(shows).first().waitFor();
      for (const colorScheme of ['light', 'dark'] as const)
        for (const width of WIDTHS) {
          await page.emulateMedia({ colorScheme });
          await page.setViewportSize({ width, height: 900 });
          const overflow = await page.evaluate(
            () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
          );
          assert.ok(overflow <= 0, `${overflow} px too wide at ${width}`);
          if (!TRIED_BY_AXE.some((tried) => tried === width)) continue;
          assert.deepEqual(await accessibilityFindings(page), [], `${colorScheme} at ${width}`);
          if (process.env.GATEHOUSE_PICTURES !== undefined && PICTURED.includes(name))
            await page.screenshot({
              path: join(process.env.GATEHOUSE_PICTURES, `${name}-${colorScheme}-${width}.png`),
            });
        }
    });
});

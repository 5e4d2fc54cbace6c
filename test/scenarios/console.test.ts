/// <reference lib="dom" />
// The console as an operator uses it: the real product, a real browser, the keyboard where it matters.
// GATEHOUSE_PICTURES=docs/pictures keeps screenshots in light, dark and narrow.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { accessibilityFindings, startBrowser } from '../fixtures/browser.ts';
import { type RunningGatehouse, startGatehouse } from '../fixtures/gatehouse.ts';
import { startSampleUpstream } from '../fixtures/sample-upstream.ts';

const PLACES: Record<string, { path: string; heading: string }> = {
  overview: { path: '/app', heading: 'Overview' },
  domains: { path: '/app/domains', heading: 'Domains' },
  routes: { path: '/app/system/ingress/routes', heading: 'Ingress' },
  expose: { path: '/app/system/ingress/expose', heading: 'Ingress' },
  certificates: { path: '/app/system/acme/certificates', heading: 'Certificates' },
  issuers: { path: '/app/system/acme/issuers', heading: 'Issuers' },
  'dns-credentials': { path: '/app/system/acme/dns-credentials', heading: 'DNS credentials' },
  ca: { path: '/app/system/acme/profiles', heading: 'Our CA' },
  accounts: { path: '/app/system/acme/accounts', heading: 'Accounts' },
  network: { path: '/app/system/network/networks', heading: 'Network' },
  missions: { path: '/app/missions', heading: 'Missions' },
  audit: { path: '/app/audit', heading: 'Audit' },
  tokens: { path: '/app/tokens', heading: 'Tokens' },
  settings: { path: '/app/settings', heading: 'Settings' },
};

test('the console', async (t) => {
  const browser = await startBrowser(t);
  if (browser === undefined) return;
  const gatehouse = await startGatehouse(t);
  const upstream = await startSampleUpstream(t);
  const token = gatehouse.ready.admin_token!;

  await t.test('signs in with a token, by keyboard, and keeps no secret in the page', async (t) => {
    const page = await openPage(t, browser, gatehouse);
    await page.goto(`${gatehouse.ready.api}/`);
    await page.locator('input:focus').waitFor();
    await page.keyboard.type('not a token');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').getByText('unknown, expired or revoked').waitFor();
    await page.getByLabel('Token').fill(token);
    await page.keyboard.press('Enter');
    await heading(page, 'Overview');
    const kept = await page.evaluate(() =>
      JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie]),
    );
    assert.ok(!kept.includes('gh_') && !kept.includes('gatehouse_session'), kept);
    assert.ok(!(await page.content()).includes(token));
  });

  await t.test('adds a domain and shows it on its way until it is served', async (t) => {
    const page = await signedIn(t, browser, gatehouse, token);
    await page.goto(`${gatehouse.ready.api}/app/domains`);
    await page.getByRole('button', { name: 'Add a domain' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name', { exact: true }).fill('not a name');
    await dialog.getByLabel("App's name").fill('shop');
    await dialog.getByLabel('Upstream').fill(upstream.url);
    await dialog.getByRole('button', { name: 'Add' }).click();
    await dialog.getByText('is not a host name').waitFor();
    await dialog.getByLabel('Name', { exact: true }).fill('shop.localhost');
    await page.keyboard.press('Enter');
    await heading(page, 'shop.localhost');
    await page.getByText('issued', { exact: true }).first().waitFor();
    await page.getByText('Served, good until').waitFor();
  });

  for (const [name, { path, heading: title }] of Object.entries(PLACES))
    await t.test(`${name} is there, accessible, and fits narrow and wide, light and dark`, async (t) => {
      const page = await signedIn(t, browser, gatehouse, token);
      await page.goto(`${gatehouse.ready.api}${path}`);
      await heading(page, title);
      await page.waitForLoadState('networkidle').catch(() => {});
      for (const colorScheme of ['light', 'dark'] as const)
        for (const width of [360, 1280, 2560]) {
          await page.emulateMedia({ colorScheme });
          await page.setViewportSize({ width, height: 900 });
          const overflow = await page.evaluate(
            () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
          );
          assert.ok(overflow <= 0, `${overflow} px too wide at ${width}`);
          if (width !== 2560) assert.deepEqual(await accessibilityFindings(page), [], `${colorScheme} at ${width}`);
          if (process.env.GATEHOUSE_PICTURES !== undefined && width !== 2560)
            await page.screenshot({
              path: join(process.env.GATEHOUSE_PICTURES, `${name}-${colorScheme}-${width}.png`),
            });
        }
    });

  await t.test('revokes a certificate after its name was typed', async (t) => {
    const page = await signedIn(t, browser, gatehouse, token);
    await page.goto(`${gatehouse.ready.api}/app/system/acme/certificates?name=shop.`);
    await page.getByRole('link', { name: 'shop.localhost' }).click();
    await heading(page, 'shop.localhost');
    await page.getByRole('button', { name: 'Revoke' }).click();
    const dialog = page.getByRole('dialog');
    const confirm = dialog.getByRole('button', { name: 'Revoke' });
    assert.ok(await confirm.isDisabled());
    await dialog.getByLabel('Type shop.localhost to confirm').fill('shop.localhost');
    await confirm.click();
    await dialog.waitFor({ state: 'detached' });
  });

  await t.test('says which permission lacks', async (t) => {
    const { stdout } = await gatehouse.cli('tokens', 'create', 'reader', '--permission', 'apps.read', '--json');
    const reader = /gh_[\w-]+/.exec(stdout)![0];
    const page = await signedIn(t, browser, gatehouse, reader);
    await page.goto(`${gatehouse.ready.api}/app/system/ingress`);
    await page.getByText('system.ingress.read').waitFor();
    await page.getByText('system.ingress.manage').waitFor();
  });

  await t.test('marks what it shows as old when the server is gone', async (t) => {
    const page = await signedIn(t, browser, gatehouse, token);
    await gatehouse.stop();
    await page.getByText('what you see may be old').waitFor();
  });
});

/** A page in a context of its own; whatever its policy refuses or its scripts throw fails the test. */
async function openPage(t: TestContext, browser: Browser, gatehouse: RunningGatehouse): Promise<Page> {
  const context = await browser.newContext();
  t.after(() => context.close());
  const page = await context.newPage();
  const wrong: string[] = [];
  page.on('pageerror', (error) => wrong.push(error.message));
  page.on('console', (message) => {
    if (/Content Security Policy/i.test(message.text())) wrong.push(message.text());
  });
  page.on('request', (request) => {
    if (!request.url().startsWith(gatehouse.ready.api)) wrong.push(`asked elsewhere: ${request.url()}`);
  });
  t.after(() => assert.deepEqual(wrong, []));
  return page;
}

async function signedIn(t: TestContext, browser: Browser, gatehouse: RunningGatehouse, token: string): Promise<Page> {
  const page = await openPage(t, browser, gatehouse);
  await page.goto(`${gatehouse.ready.api}/app`);
  await page.getByLabel('Token').fill(token);
  await page.keyboard.press('Enter');
  await page.getByRole('navigation', { name: 'Main' }).waitFor();
  return page;
}

const heading = (page: Page, name: string) => page.getByRole('heading', { name, level: 1 }).waitFor();

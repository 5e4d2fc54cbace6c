/// <reference lib="dom" />
// Twenty thousand certificates: the list scrolls, its filter finds one, and only what is in view is in the page.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { startBrowser } from '../fixtures/browser.ts';
import { createTestAuthority } from '../fixtures/certificate.ts';
import { goTo, openPage, signedIn } from '../fixtures/console.ts';
import { ROOT, startGatehouse } from '../fixtures/gatehouse.ts';
import { copyCertificate } from '../fixtures/many-certificates.ts';
import { temporaryDirectory } from '../fixtures/temporary.ts';

const MANY = 20_000;

test('a console with twenty thousand certificates', async (t) => {
  const browser = await startBrowser(t);
  if (browser === undefined) return;
  const dataDir = join(temporaryDirectory(t), 'data');
  const first = await startGatehouse(t, { dataDir });
  const { admin_token: token, api } = first.ready;
  const { cert, key } = createTestAuthority().issue(['seed.example']);
  const uploaded = await fetch(`${api}/api/v1/system/acme_certificates/upload`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ chain_pem: cert, private_key_pem: key }),
  });
  const { data } = (await uploaded.json()) as { data: { id: string } };
  await first.stop();
  copyCertificate(join(dataDir, 'gatehouse.db'), data.id, MANY, Date.now() + 80 * 86_400_000);
  const gatehouse = await startGatehouse(t, { dataDir });
  const page = await signedIn(t, browser, gatehouse, token);

  await t.test('the overview counts them', async () => {
    await page.getByRole('link', { name: '20,001 Good certificates' }).waitFor();
    await page.getByRole('row', { name: '60 to 90 days' }).waitFor();
  });

  await t.test('the list is followed to its end with the keyboard, and holds few rows at a time', async () => {
    await goTo(page, gatehouse, '/app/system/acme/certificates', 'Certificates');
    const list = page.getByRole('region', { name: 'Certificates' });
    await list.getByText('many-00000.example').waitFor();
    const scroller = list.locator('.vlist');
    await scroller.focus();
    // Pages come as the end of what is there comes near.
    const last = `many-${String(MANY - 1).padStart(5, '0')}.example`;
    for (let presses = 0; !(await list.getByText(last).isVisible()); presses++) {
      assert.ok(presses < 2_000, 'the end of the list is not reached');
      const shown = await list.getByRole('listitem').last().getAttribute('aria-posinset');
      await page.keyboard.press('End');
      await page.waitForFunction(
        ([before, end]) => {
          const items = [...document.querySelectorAll('.vitem')];
          const newest = items.at(-1)?.getAttribute('aria-posinset');
          return newest !== before || document.body.textContent?.includes(end!);
        },
        [shown, last] as const,
      );
    }
    assert.ok((await list.getByRole('listitem').count()) < 80);
  });

  await t.test('a filter finds one among them, by the server', async () => {
    await page.getByLabel('Name begins with').fill('many-17042');
    await page.getByRole('link', { name: 'many-17042.example' }).waitFor();
    assert.equal(await page.locator('.vitem').count(), 1);
  });
});

test('what the first page needs is small, and it paints without waiting for more', async (t) => {
  const html = readFileSync(join(ROOT, 'web/dist/index.html'), 'utf8');
  const files = [...html.matchAll(/(?:src|href)="\/(assets\/[^"]+)"/g)].map(([, path]) => path!);
  const bytes = files.reduce((sum, path) => sum + gzipSync(readFileSync(join(ROOT, 'web/dist', path))).length, 0);
  assert.ok(bytes < 300_000, `${bytes} bytes gzipped`);
  assert.ok(readdirSync(join(ROOT, 'web/dist/assets')).length > files.length, 'other pages are files of their own');
  const browser = await startBrowser(t);
  if (browser === undefined) return;
  const gatehouse = await startGatehouse(t);
  const page = await openPage(t, browser, gatehouse);
  await page.goto(`${gatehouse.ready.api}/app`);
  await page.getByRole('heading', { name: 'Sign in' }).waitFor();
  const paint = await page.evaluate(
    () => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? Number.NaN,
  );
  t.diagnostic(`first contentful paint after ${Math.round(paint)} ms, ${bytes} bytes gzipped`);
});

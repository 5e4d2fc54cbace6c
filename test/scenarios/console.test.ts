/// <reference lib="dom" />
// The console as an operator uses it: the real product, a real browser, the keyboard where it matters.
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { startBrowser } from '../fixtures/browser.ts';
import { choose, goTo, heading, openPage, signedIn } from '../fixtures/console.ts';
import { startConsoleWorld, ZONE } from '../fixtures/console-world.ts';
import { startSampleUpstream } from '../fixtures/sample-upstream.ts';

test('the console', async (t) => {
  const browser = await startBrowser(t);
  if (browser === undefined) return;
  const world = await startConsoleWorld(t);
  const { gatehouse } = world;
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
    await page.getByText('first administrator').waitFor();
    const kept = await page.evaluate(() =>
      JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie]),
    );
    assert.ok(!kept.includes('gh_') && !kept.includes('gatehouse_session'), kept);
    assert.ok(!(await page.content()).includes(token));
  });

  await t.test('adds a domain and shows it on its way until it is served', async (t) => {
    const page = await signedIn(t, browser, gatehouse);
    await goTo(page, gatehouse, '/app/domains', 'Domains');
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

  await t.test('shows what a domain lacks, and goes on when its DNS is mended', async (t) => {
    const page = await signedIn(t, browser, gatehouse);
    const name = `mended.${ZONE}`;
    await world.api('POST', '/apps/shop/domains', { domain: name });
    await goTo(page, gatehouse, `/app/domains/shop/${name}`, name);
    await page.getByText('missing', { exact: true }).waitFor();
    await page.getByText(`${name}. 300 IN A 127.0.0.1`, { exact: true }).waitFor();
    await page.getByRole('cell', { name: `resolver ${world.nameServer.address}` }).waitFor();
    world.setAddress(name, '127.0.0.1');
    await page.getByRole('button', { name: 'Check again now' }).click();
    await page.getByText('configured', { exact: true }).waitFor();
    await page.getByText('issued', { exact: true }).first().waitFor();
  });

  await t.test('imports a list and says of each line what became of it', async (t) => {
    const page = await signedIn(t, browser, gatehouse);
    await goTo(page, gatehouse, '/app/domains', 'Domains');
    await page.getByRole('button', { name: 'Import' }).click();
    const dialog = page.getByRole('dialog');
    const lines = ['domain', ...Array.from({ length: 40 }, (_, i) => `many-${i}.localhost`), 'not a name', 'com'];
    await dialog.getByLabel('Names').fill(lines.join('\n'));
    await dialog.getByRole('button', { name: 'Import' }).click();
    await dialog.getByText('All lines are done.').waitFor();
    await dialog.getByRole('cell', { name: 'not a name', exact: true }).waitFor();
    assert.equal(await dialog.getByRole('row').count(), 3, 'a head and the two that were refused');
    await dialog.getByRole('button', { name: 'Done' }).click();
    await page.getByLabel('Name begins with').fill('many-3');
    await page.getByText('many-39.localhost').waitFor();
    assert.ok(page.url().includes('name=many-3'), 'the filter is in the URL');
  });

  await t.test('makes a network, exposes a service by the wizard, and another person approves', async (t) => {
    // All of 127.0.0.0/8 answers here, so a virtual IP in it needs no agent.
    const backend = createServer((_incoming, response) => response.end('metrics'));
    await new Promise<void>((resolve) => backend.listen(0, '127.7.0.10', resolve));
    t.after(() => backend.close());
    const { port } = backend.address() as { port: number };
    const page = await signedIn(t, browser, gatehouse);
    await goTo(page, gatehouse, '/app/system/network/networks', 'Network');
    const dialog = page.getByRole('dialog');
    const make = async (place: string, noun: string, fields: Record<string, string>) => {
      await page.getByRole('link', { name: place }).click();
      await page.getByRole('button', { name: `New ${noun}` }).click();
      if (noun === 'peer') await choose(page, 'Network', 'local');
      for (const [label, value] of Object.entries(fields)) await dialog.getByLabel(label, { exact: true }).fill(value);
      if (fields['Public IPv4'] !== undefined) await dialog.getByText('The internet reaches it').click();
      await dialog.getByRole('button', { name: 'Make it' }).click();
      await dialog.waitFor({ state: 'detached' });
    };
    await make('Networks', 'network', { Name: 'local', IPv4: '127.7.0.0/24' });
    const hub = { Name: 'hub-1', 'IPv4 in the network': '127.7.0.1', 'Public IPv4': '127.0.0.1' };
    await make('Peers', 'peer', hub);
    await make('Peers', 'peer', { Name: 'app-1', 'IPv4 in the network': '127.7.0.2' });

    await goTo(page, gatehouse, '/app/system/ingress/expose', 'Ingress');
    await page.getByLabel('Public hostname').fill('metrics.localhost');
    await page.getByLabel('Backend port').fill(String(port));
    await page.getByLabel('Public port').fill(new URL(gatehouse.ready.edge_https).port);
    await choose(page, 'Network', 'local');
    await choose(page, 'Hub peer', 'hub-1');
    await choose(page, 'Backend peer', 'app-1');
    await page.getByLabel('Virtual IP').fill('127.7.0.10/32');
    await choose(page, 'Issuer', 'internal-ca');
    await page.getByRole('button', { name: 'Make a plan' }).click();
    const card = page.getByRole('region', { name: /Mission: / });
    await card.getByText('proposed', { exact: true }).waitFor();

    const { token: approver } = await world.api('POST', '/tokens', {
      name: 'approver',
      permissions: ['missions.approve', 'system.ingress.read'],
    });
    const other = await signedIn(t, browser, gatehouse, approver);
    await goTo(other, gatehouse, '/app/missions', 'Missions');
    await other.getByRole('button', { name: 'Approve' }).click();
    // The first person sees it happen without doing anything.
    await card.getByText('succeeded', { exact: true }).waitFor({ timeout: 60_000 });
    await card.getByText(/approved by approver \(first administrator\)/).waitFor();
    await goTo(page, gatehouse, '/app/system/ingress/routes?host=metrics', 'Ingress');
    await page.getByRole('button', { name: '1 router' }).click();
    await page.getByText(`http://127.7.0.10:${port}`).waitFor();
  });

  await t.test('makes a profile and a key, whose secret is shown once', async (t) => {
    const page = await signedIn(t, browser, gatehouse);
    await goTo(page, gatehouse, '/app/system/acme/profiles', 'Our CA');
    await page.getByRole('button', { name: 'New profile' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Id', { exact: true }).fill('corp');
    await choose(page, 'Authorization', 'The bound account is trusted for the names of its key');
    await dialog.getByLabel('Names that may be had').fill('*.corp.example');
    await dialog.getByRole('button', { name: 'Make it' }).click();
    await dialog.waitFor({ state: 'detached' });
    await page
      .locator('section', { has: page.getByRole('heading', { name: 'corp' }) })
      .getByText('0 external')
      .click();
    await page.getByRole('button', { name: 'Make a key' }).click();
    await dialog.getByLabel('Names that it may have').fill('*.team.corp.example');
    await dialog.getByRole('button', { name: 'Make the key' }).click();
    await dialog.getByText('it is not shown again').waitFor();
    const secret = (await dialog.locator('code').nth(1).textContent())!;
    assert.ok(secret.length >= 40, secret);
    await dialog.getByRole('button', { name: 'I have it' }).click();
    await page.reload();
    await page.getByText('1 external').waitFor();
    assert.ok(!(await page.content()).includes(secret));
  });

  await t.test('revokes a certificate after its name was typed', async (t) => {
    const page = await signedIn(t, browser, gatehouse);
    await goTo(page, gatehouse, '/app/system/acme/certificates?name=shop.', 'Certificates');
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
    const { token: reader } = await world.api('POST', '/tokens', { name: 'reader', permissions: ['apps.read'] });
    const page = await signedIn(t, browser, gatehouse, reader);
    await page.goto(`${gatehouse.ready.api}/app/system/ingress`);
    await page.getByText('system.ingress.read').waitFor();
    await page.getByText('system.ingress.manage').waitFor();
  });

  await t.test('marks what it shows as old when the server is gone', async (t) => {
    const page = await signedIn(t, browser, gatehouse);
    await gatehouse.stop();
    await page.getByText('what you see may be old').waitFor();
  });
});

/// <reference lib="dom" />
// Signing in to the console through a real OpenID provider, in a real browser.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Page } from 'playwright-core';
import { startBrowser } from '../fixtures/browser.ts';
import { heading, openPage } from '../fixtures/console.ts';
import { blocksOf } from '../fixtures/documents.ts';
import { startGatehouse } from '../fixtures/gatehouse.ts';
import { startOpenIdProvider } from '../fixtures/openid-provider.ts';
import { freePort, temporaryDirectory } from '../fixtures/temporary.ts';

const PEOPLE = {
  ada: { email: 'ada@example.com', groups: ['gatehouse-admins'] },
  bob: { email: 'bob@example.com', groups: ['readers', 'cooks'] },
  eve: { email: 'eve@example.com', groups: ['cooks'] },
};

async function start(t: TestContext) {
  const apiPort = await freePort();
  const api = `http://127.0.0.1:${apiPort}`;
  const redirectUri = `${api}/api/v1/session/openid/callback`;
  const { issuer, clientSecret } = await startOpenIdProvider(t, { redirectUri, people: PEOPLE });
  const secretFile = join(temporaryDirectory(t), 'client-secret');
  writeFileSync(secretFile, `${clientSecret}\n`, { mode: 0o600 });
  // What the document tells an operator to write.
  const openid = blocksOf('docs/console.md').find(({ text }) => text.startsWith('openid:'))!.text;
  const gatehouse = await startGatehouse(t, {
    config: [
      'edge: { https_port: 0, http_port: 0, workers: 1 }',
      `api: { port: ${apiPort} }`,
      'acme_server: { port: 0 }',
      'agents: { port: 0 }',
      openid.replace('https://id.example.com/realms/ops', issuer).replace('/etc/gatehouse/openid-secret', secretFile),
    ].join('\n'),
  });
  return { gatehouse, issuer };
}

/** The provider's own pages: who, and that the console may know. */
async function signInAs(page: Page, login: string): Promise<void> {
  await page.getByRole('link', { name: 'Sign in with the company' }).click();
  await page.locator('input[name=login]').fill(login);
  await page.locator('input[name=password]').fill('any');
  await page.locator('button[type=submit]').click();
  await page.locator('button[type=submit]', { hasText: 'Continue' }).click();
}

test('people sign in through an OpenID provider, and groups decide what they may', async (t) => {
  const browser = await startBrowser(t);
  if (browser === undefined) return;
  const { gatehouse, issuer } = await start(t);
  const { api } = gatehouse.ready;
  const fresh = async () => {
    const page = await openPage(t, browser, gatehouse, { alsoAsks: issuer });
    await page.goto(`${api}/app`);
    return page;
  };

  await t.test('a member of the admins may do everything, and the audit log names them', async () => {
    const page = await fresh();
    await signInAs(page, 'ada');
    await heading(page, 'Overview');
    await page.getByText('ada@example.com').waitFor();
    await page.goto(`${api}/app/audit`);
    await page.getByText('user:ada@example.com').first().waitFor();
    const cookies = await page.context().cookies();
    const session = cookies.find(({ name }) => name === 'gatehouse_session');
    assert.deepEqual([session?.httpOnly, session?.sameSite], [true, 'Strict']);
    assert.ok(!cookies.some(({ name }) => name === 'gatehouse_openid'), 'what was pending is cleared');
    await page.getByRole('button', { name: 'Sign out' }).click();
    await heading(page, 'Sign in');
  });

  await t.test('a reader reads, and is told which permission the rest needs', async () => {
    const page = await fresh();
    await signInAs(page, 'bob');
    await page.getByText('bob@example.com').waitFor();
    await page.goto(`${api}/app/tokens`);
    await page.getByText('tokens.manage').waitFor();
  });

  await t.test('who is in no group with a permission is refused in words', async () => {
    const page = await fresh();
    await signInAs(page, 'eve');
    await page.getByRole('alert').getByText('You are in no group that has a permission here').waitFor();
  });

  await t.test('an answer that nobody asked for, or that was asked for by another, opens no session', async () => {
    const page = await fresh();
    await page.goto(`${api}/api/v1/session/openid/callback?code=stolen&state=guessed`);
    await page.getByRole('alert').getByText('Signing in took too long').waitFor();
    const begun = await fetch(`${api}/api/v1/session/openid`, { redirect: 'manual' });
    const pending = begun.headers.getSetCookie()[0]!.split(';')[0]!;
    const mixed = await fetch(`${api}/api/v1/session/openid/callback?code=stolen&state=guessed`, {
      redirect: 'manual',
      headers: { cookie: pending },
    });
    assert.equal(mixed.headers.get('location'), '/app?sign_in=openid_refused');
    assert.ok(!mixed.headers.getSetCookie().some((cookie) => cookie.startsWith('gatehouse_session=')));
  });
});

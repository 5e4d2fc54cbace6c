import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import type { TestContext } from 'node:test';
import { startClientGround, tally } from '../../fixtures/client-ground.ts';
import { type Ability, recordClient } from '../../fixtures/client-matrix.ts';
import { run } from '../../fixtures/command.ts';
import { startPeer } from '../../fixtures/peer.ts';
import { until } from '../../fixtures/until.ts';

const versionOf = async (caddy: string): Promise<string> =>
  (await run(caddy, ['version'])).output.trim().split(' ')[0]?.replace('v', '') ?? 'unknown';
const CANNOT: readonly Ability[] = ['dns-01', 'wildcard', 'revoke', 'key change'];

const OTHER = { 'http-01': 'disable_tlsalpn_challenge', 'tls-alpn-01': 'disable_http_challenge' };

/** Serves a name with a certificate of one minute, got with an external account key, and renews it before it ends. */
export async function caddyStory(
  t: TestContext,
  caddy: string,
  challenge: keyof typeof OTHER,
  { newer, site = 'a.caddy.test' }: { newer: boolean; site?: string },
): Promise<void> {
  const ground = await startClientGround(t, { eab_required: true, max_ttl_seconds: 60 });
  const { directory, httpPort, tlsPort, rootFile } = ground;
  const key = await ground.acme.administration.createEabKey('default', {}, 'system');
  writeFileSync(
    `${directory}/Caddyfile`,
    `{
	storage file_system ${directory}/store
	admin off
	email caddy@example.org
	http_port ${httpPort}
	https_port ${tlsPort}
	default_bind 127.0.0.1
	renew_interval 1s
	default_sni ${site}
}
${site} {
	tls {
		issuer acme {
			dir ${ground.directoryUrl}
			trusted_roots ${rootFile}
			eab ${key.id} ${key.hmac_key}
			${OTHER[challenge]}
		}
	}
	respond "hello"
}
`,
  );
  const adapted = await run(caddy, ['adapt', '--config', `${directory}/Caddyfile`, '--adapter', 'caddyfile']);
  const config = JSON.parse(adapted.output.slice(adapted.output.indexOf('{"'))) as {
    apps: { tls: { automation: { policies: { renewal_window_ratio?: number }[] } } };
  };
  // A minute, and one before it was made: due with 49 % left, so a second after it was issued.
  for (const policy of config.apps.tls.automation.policies) policy.renewal_window_ratio = 0.49;
  writeFileSync(`${directory}/caddy.json`, JSON.stringify(config));
  const peer = await startPeer(t, caddy, ['run', '--config', `${directory}/caddy.json`], {
    log: `${directory}/log`,
    env: { XDG_DATA_HOME: directory, XDG_CONFIG_HOME: directory },
    ready: (output) => output.includes('certificate obtained successfully'),
  });
  const at = site.startsWith('1') ? [] : ['--resolve', `${site}:${tlsPort}:127.0.0.1`];
  const page = () =>
    run('curl', ['-sS', '--cacert', rootFile, ...at, `https://${site}:${tlsPort}/`], { expected: 'any' });
  // Caddy says that it has the certificate a moment before it serves it.
  await until('the page is served', async () => (await page()).output === 'hello');
  await until('the certificate is renewed', async () => (await tally(ground)).issued >= 2);
  assert.equal((await page()).output, 'hello');
  const does: Ability[] = [challenge, 'EAB', 'renew'];
  if (site.startsWith('1')) does.push('IP');
  // Newer Caddy asks, and renews by its own window when that comes first; its orders name nothing that they replace.
  if (newer) {
    await until('renewal information is read', async () => /got renewal info/.test(peer.output()));
    does.push('ARI');
  }
  recordClient({
    client: 'Caddy',
    version: await versionOf(caddy),
    does,
    cannot: newer ? CANNOT : [...CANNOT, 'IP', 'ARI'],
  });
}

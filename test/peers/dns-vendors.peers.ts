// The stand-ins that Debian's lego cannot try, tried by lego's own providers: what they send is taken, and undone.
import assert from 'node:assert/strict';
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { VENDORS, valuesAt } from '../fixtures/dns-vendors/index.ts';
import { intercept } from '../fixtures/dns-vendors/intercept.ts';
import { serveZones } from '../fixtures/dns-vendors/serve-zones.ts';
import { needGoSource } from '../fixtures/go.ts';

const SOURCE = fileURLToPath(new URL('../data/lego-providers/', import.meta.url));
const ZONES = ['shop.test', 'deep.shop.test'];

type Fields = Record<string, string>;
const CREDENTIALS: Record<string, (fields: Fields) => Fields> = {
  cloudflare: ({ api_token = '' }) => ({ CF_DNS_API_TOKEN: api_token }),
  hetzner: ({ api_token = '' }) => ({ HETZNER_API_TOKEN: api_token }),
  porkbun: ({ api_key = '', secret_api_key = '' }) => ({
    PORKBUN_API_KEY: api_key,
    PORKBUN_SECRET_API_KEY: secret_api_key,
  }),
};

for (const [title, credentials] of Object.entries(CREDENTIALS))
  test(`${title}: lego's provider writes into the stand-in and takes away what it wrote`, async (t) => {
    const program = needGoSource(t, 'lego-providers', SOURCE);
    if (program === undefined) return;
    const vendor = VENDORS[title as keyof typeof VENDORS](ZONES);
    const { env, calls } = await intercept(t, vendor);
    const { address } = await serveZones(t, vendor.zones);
    const secrets = credentials(vendor.fields(`https://${vendor.hosts[0]}${vendor.base}`));
    for (const domain of ['shop.test', 'a.deep.shop.test']) {
      const child: ChildProcessWithoutNullStreams = spawn(program, [title, address, domain, 'key-authorization'], {
        env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env, ...secrets },
      });
      let printed = '';
      for (const stream of [child.stdout, child.stderr]) stream.on('data', (part) => (printed += part));
      const ended = once(child, 'exit');
      await Promise.race([once(child.stdout, 'data'), ended]);
      const value = createHash('sha256').update('key-authorization').digest('base64url');
      assert.deepEqual(valuesAt(vendor.zones, `_acme-challenge.${domain}`), [value], printed);
      child.stdin.end();
      const [code] = await ended;
      assert.equal(code, 0, printed);
      assert.deepEqual(
        vendor.zones.flatMap(({ records }) => records),
        [],
      );
    }
    assert.ok(calls.length >= 4, calls.join('\n'));
  });

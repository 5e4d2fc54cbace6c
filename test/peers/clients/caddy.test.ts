import { test } from 'node:test';
import { needProgram } from '../../fixtures/peer.ts';
import { caddyStory } from './caddy.ts';

for (const challenge of ['http-01', 'tls-alpn-01'] as const)
  test(`Caddy serves and renews a name with certificates that it got by ${challenge} and EAB`, async (t) => {
    const caddy = needProgram(t, 'caddy');
    if (caddy !== undefined) await caddyStory(t, caddy, challenge, { newer: false });
  });

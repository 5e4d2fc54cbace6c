import { test } from 'node:test';
import { needProgram } from '../../fixtures/peer.ts';
import { certbotStory } from './certbot.ts';

test('certbot issues with EAB, renews, revokes by account and by key, updates and unregisters', async (t) => {
  const certbot = needProgram(t, 'certbot');
  if (certbot !== undefined) await certbotStory(t, certbot, { newer: false });
});

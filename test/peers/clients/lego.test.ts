import { test } from 'node:test';
import { needProgram } from '../../fixtures/peer.ts';
import { legoStory, legoTrustStory } from './lego.ts';

test('lego issues by every challenge, renews and revokes', async (t) => {
  const lego = needProgram(t, 'lego');
  if (lego !== undefined) await legoStory(t, lego, { newer: false });
});

test('lego is trusted with what its EAB key allows, and with nothing else', async (t) => {
  const lego = needProgram(t, 'lego');
  if (lego !== undefined) await legoTrustStory(t, lego);
});

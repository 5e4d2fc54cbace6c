import { test } from 'node:test';
import { needTestingProgram } from '../../fixtures/debian-testing.ts';
import { legoStory, legoTrustStory } from './lego.ts';

const need = (t: Parameters<typeof legoStory>[0]) => needTestingProgram(t, 'lego', 'usr/bin/lego');

test('newer lego issues by every challenge and for an address, renews by renewal information, and revokes', async (t) => {
  const lego = need(t);
  if (lego !== undefined) await legoStory(t, lego, { newer: true });
});

test('newer lego is trusted with what its EAB key allows, and with nothing else', async (t) => {
  const lego = need(t);
  if (lego !== undefined) await legoTrustStory(t, lego);
});

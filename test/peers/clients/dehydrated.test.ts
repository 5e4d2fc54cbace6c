import { test } from 'node:test';
import { needProgram } from '../../fixtures/peer.ts';
import { dehydratedStory } from './dehydrated.ts';

test('dehydrated issues by every challenge with EAB, renews, revokes and reads its account', async (t) => {
  const dehydrated = needProgram(t, 'dehydrated');
  if (dehydrated !== undefined) await dehydratedStory(t, dehydrated, { newer: false });
});

import { test } from 'node:test';
import { needTestingProgram } from '../../fixtures/debian-testing.ts';
import { dehydratedStory } from './dehydrated.ts';

test('newer dehydrated does all that and issues for an address', async (t) => {
  const dehydrated = needTestingProgram(t, 'dehydrated', 'usr/bin/dehydrated');
  if (dehydrated !== undefined) await dehydratedStory(t, dehydrated, { newer: true });
});

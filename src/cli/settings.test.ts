import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSettings } from './settings.ts';

test('settings on the command line are an object', () => {
  assert.deepEqual(parseSettings(['a.b=1', 'a.c=x,y', 'on=true', 'list=["z"]', 'name=office']), {
    a: { b: 1, c: ['x', 'y'] },
    on: true,
    list: ['z'],
    name: 'office',
  });
  for (const wrong of ['nonsense', '=1', '__proto__.x=1']) assert.throws(() => parseSettings([wrong]), /key=value/);
});

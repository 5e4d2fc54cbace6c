import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ALL_PERMISSIONS, type Permission } from '../../contract/index.ts';
import { permissionsOfGroups } from './permissions.ts';

const GROUPS: { group: string; permissions: (Permission | '*')[] }[] = [
  { group: 'admins', permissions: ['*'] },
  { group: 'ops', permissions: ['apps.read', 'system.ingress.read'] },
  { group: 'approvers', permissions: ['missions.approve', 'apps.read'] },
];

test('groups give permissions, and a claim of any other shape gives none', () => {
  const cases: [claim: unknown, expected: readonly string[]][] = [
    [['ops'], ['apps.read', 'system.ingress.read']],
    ['ops', ['apps.read', 'system.ingress.read']],
    [
      ['approvers', 'ops', 'strangers'],
      ALL_PERMISSIONS.filter((each) => ['apps.read', 'system.ingress.read', 'missions.approve'].includes(each)),
    ],
    [['admins'], ALL_PERMISSIONS],
    [['Admins'], []],
    [[['admins']], []],
    [{ admins: true }, []],
    ['admins,ops', []],
    [undefined, []],
    [null, []],
    [[], []],
  ];
  for (const [claim, expected] of cases) assert.deepEqual(permissionsOfGroups(claim, GROUPS), expected, String(claim));
});

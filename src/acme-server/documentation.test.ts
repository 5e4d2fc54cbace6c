import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { ProfileSettings } from './profile.ts';

interface Shape {
  readonly properties?: Record<string, Shape>;
  readonly default?: unknown;
  readonly description?: string;
}

function rows(schema: Shape, path = ''): string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, part]) => {
    const key = path === '' ? name : `${path}.${name}`;
    const { count, per_seconds } = part.properties ?? {};
    if (part.properties !== undefined && count === undefined) return rows(part, key);
    const value =
      count !== undefined
        ? `${String(count.default)} in ${String(per_seconds?.default)} s`
        : part.default === undefined
          ? ''
          : `\`${JSON.stringify(part.default)}\``;
    return [`| \`${key}\` | ${value} | ${part.description ?? ''} |`];
  });
}

test('docs/acme-server.md lists every setting of a profile with its default, as the schema has them', () => {
  const text = readFileSync(new URL('../../docs/acme-server.md', import.meta.url), 'utf8');
  const table = text.split('<!-- settings -->\n')[1]?.split('\n<!-- /settings -->')[0];
  assert.equal(
    table,
    ['| setting | default | what it is |', '|---|---|---|', ...rows(ProfileSettings as Shape)].join('\n'),
  );
});

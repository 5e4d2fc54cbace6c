import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { acmeServerSettings, CaConfig } from './ca-config.ts';

interface Shape {
  readonly properties?: Record<string, Shape>;
  readonly default?: unknown;
  readonly description?: string;
}

function rows(properties: Record<string, Shape>, path = ''): string[] {
  return Object.entries(properties).flatMap(([name, part]) => {
    const key = path === '' ? name : `${path}.${name}`;
    if (part.properties !== undefined) return rows(part.properties, key);
    const value = part.default === undefined ? '' : `\`${JSON.stringify(part.default)}\``;
    return [`| \`${key}\` | ${value} | ${part.description ?? ''} |`];
  });
}

const HEAD = ['| key | default | what it is |', '|---|---|---|'];
const text = readFileSync(new URL('../../docs/acme-server.md', import.meta.url), 'utf8');
const tableOf = (mark: string) => text.split(`<!-- ${mark} -->\n`)[1]?.split(`\n<!-- /${mark} -->`)[0];

test('docs/acme-server.md lists every key of acme_server and ca, as the schema has them', () => {
  const settings = rows(acmeServerSettings as unknown as Record<string, Shape>);
  assert.equal(tableOf('keys'), [...HEAD, ...settings].join('\n'));
  const ca = rows((CaConfig as unknown as Shape).properties ?? {});
  assert.equal(tableOf('ca-keys'), [...HEAD, ...ca].join('\n'));
});

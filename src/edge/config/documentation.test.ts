import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { schemaTable } from '../../../test/fixtures/schema-table.ts';
import { ProxyConfig } from './schema.ts';

const text = readFileSync(new URL('../../../docs/edge.md', import.meta.url), 'utf8');
const { listeners, limits, sites, ...general } = ProxyConfig.properties;
const tables = { general, listeners: { listeners }, limits: { limits }, sites: { sites } };

/** What a path may say is what a site may say, so it is not written twice. */
const tableOf = (properties: object) =>
  schemaTable({ properties, required: ProxyConfig.required })
    .split('\n')
    .filter((row) => !/^\| `sites\[\]\.paths\[\]\.(?!path`)/.test(row))
    .join('\n');

for (const [name, properties] of Object.entries(tables))
  test(`docs/edge.md lists every key of ${name} with its default, as the schema has them`, () => {
    const table = text.split(`<!-- keys ${name} -->\n`)[1]?.split('\n<!-- /keys -->')[0];
    assert.equal(table, tableOf(properties));
  });

test('every key has a description', () => {
  for (const properties of Object.values(tables)) assert.doesNotMatch(tableOf(properties), /\| +\|$/m);
});

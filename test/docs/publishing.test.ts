// What the guides of publishing say in tables is what the product has: inputs, tools, permissions, words of failures.
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { EXPOSE_FIELDS, PERMISSIONS, REQUIRED_FIELDS } from '../../src/contract/index.ts';
import { FLOOR } from '../../src/mcp/tool.ts';
import { TOOLS } from '../../src/mcp/tools/index.ts';
import { ROOT } from '../fixtures/gatehouse.ts';

/** Cells of the rows of the table whose head begins with these words. */
function table(path: string, ...head: string[]): string[][] {
  const lines = readFileSync(join(ROOT, path), 'utf8').split('\n');
  const cells = (line: string) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim());
  const at = lines.findIndex((line) => line.startsWith('|') && head.every((word, i) => cells(line)[i] === word));
  assert.ok(at >= 0, `${path} has no table ${head.join(' | ')}`);
  const rest = lines.slice(at + 2);
  return rest
    .slice(
      0,
      rest.findIndex((line) => !line.startsWith('|')),
    )
    .map(cells);
}

const bare = (cell = ''): string => cell.replaceAll('`', '');

test('the inputs of docs/ingress.md are those of the product, in its words', () => {
  const rows = table('docs/ingress.md', 'input', 'required');
  assert.deepEqual(
    rows.map(([input, required, what]) => [bare(input), required === 'yes', what]),
    Object.entries(EXPOSE_FIELDS).map(([input, what]) => [input, REQUIRED_FIELDS.has(input), what]),
  );
});

test('the failures of docs/ingress.md are in the product’s own words', () => {
  const source = globSync('src/**/*.ts', { cwd: ROOT })
    .filter((path) => !path.endsWith('.test.ts'))
    .map((path) => readFileSync(join(ROOT, path), 'utf8'))
    .join('\n')
    // Values that a message has put in stand as they are in the source.
    .replaceAll(/\$\{[^{}]*\}/g, '');
  const rows = table('docs/ingress.md', 'what you see');
  assert.ok(rows.length >= 15);
  // The rcode's name comes from the name server.
  for (const [seen] of rows.filter(([seen]) => seen !== '`answers SERVFAIL`'))
    assert.ok(source.includes(bare(seen)), `nothing in the product says: ${bare(seen)}`);
});

test('the tools of docs/mcp.md are those that there are, with their permissions', () => {
  assert.deepEqual(
    table('docs/mcp.md', 'tool', 'permission')
      .map(([tool, permission]) => [bare(tool), bare(permission)])
      .sort(),
    TOOLS.map(({ name, permission }) => [name, permission]).sort(),
  );
  assert.match(readFileSync(join(ROOT, 'docs/mcp.md'), 'utf8'), new RegExp(`the floor, \`${FLOOR}\``));
});

test('the permissions that docs/ingress.md names are there', () => {
  for (const [permission = ''] of table('docs/ingress.md', 'permission'))
    assert.ok(bare(permission) in PERMISSIONS, permission);
});

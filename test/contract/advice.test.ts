// Every command that an error, a plan or a document tells people to run must be there.
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Command } from 'commander';
import { createProgram } from '../../src/cli/program.ts';
import { ROOT } from '../fixtures/gatehouse.ts';

/** What `bin/gatehouse` starts itself. */
const STARTED_HERE = new Set([
  'ca serve',
  'ca perspective',
  'up',
  'proxy',
  'hub-agent',
  'mcp',
  'config',
  'backup',
  'restore',
  'help',
]);
/** Labels that go into keys and names. */
const LABELS = new Set(['envelope', 'master', 'proxy-admin']);

/** The words that are no command, with those before them; undefined when all are. */
function unknownWord(program: Command, words: readonly string[]): string | undefined {
  let at = program;
  for (const [index, word] of words.entries()) {
    if (STARTED_HERE.has(words.slice(0, index + 1).join(' '))) return undefined;
    if (at.commands.length === 0) return undefined;
    const next = at.commands.find((command) => command.name() === word);
    if (next === undefined) return words.slice(0, index + 1).join(' ');
    at = next;
  }
  return undefined;
}

test('every command that is named in a message or a document is there', () => {
  const program = createProgram({}, { stdout: process.stdout, stderr: process.stderr });
  const files = [...globSync('src/**/*.ts', { cwd: ROOT }), ...globSync('docs/*.md', { cwd: ROOT }), 'README.md'];
  const wrong: string[] = [];
  let seen = 0;
  for (const file of files.filter((path) => !path.endsWith('.test.ts'))) {
    const text = readFileSync(join(ROOT, file), 'utf8');
    // As it stands in messages (`: gatehouse x`, `(gatehouse x`, "'gatehouse x'") and in code of documents.
    for (const [, command = ''] of text.matchAll(
      /(?:['"`(]|: |, |or |run |with )gatehouse ((?:[a-z-]+\b ?){1,3})(?!\w)/g,
    )) {
      seen++;
      const word = unknownWord(program, command.trim().split(' '));
      if (word !== undefined && !LABELS.has(word.split(' ')[0]!)) wrong.push(`${file}: gatehouse ${word}`);
    }
  }
  assert.ok(seen > 50, `only ${seen} were found`);
  assert.deepEqual(wrong, []);
});

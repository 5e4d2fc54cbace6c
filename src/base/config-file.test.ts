import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Type } from 'typebox';
import { parseConfig } from './config-file.ts';
import { Fault } from './fault.ts';

const schema = Type.Object(
  {
    workers: Type.Integer({ minimum: 1, default: 2 }),
    listeners: Type.Optional(
      Type.Array(
        Type.Object(
          { mode: Type.Union([Type.Literal('manual'), Type.Literal('acme')]), port: Type.Optional(Type.Integer()) },
          { additionalProperties: false },
        ),
      ),
    ),
  },
  { additionalProperties: false },
);

const problemsOf = (text: string): string[] => {
  try {
    parseConfig(schema, text, 'p.yaml');
  } catch (error) {
    assert.ok(error instanceof Fault && error.code === 'invalid_config');
    return (error.details.problems ?? []).map(({ detail }) => detail);
  }
  return [];
};

test('a good file comes out with its defaults', () => {
  assert.deepEqual(parseConfig(schema, 'listeners: [{ mode: acme }]', 'p.yaml'), {
    workers: 2,
    listeners: [{ mode: 'acme' }],
  });
  assert.deepEqual(parseConfig(schema, '', 'p.yaml'), { workers: 2 });
});

test('a wrong file is told by file, line, key and what is accepted', () => {
  assert.match(
    problemsOf('workers: 1\nlisteners:\n  - mode: acme\n    prot: 3\n')[0]!,
    /^p\.yaml:4:5: listeners\[0\]\.prot: there is no such key here; there are mode, port/,
  );
  assert.match(problemsOf('workers: many\n')[0]!, /^p\.yaml:1:10: workers: "many" is not of type integer/);
  assert.match(problemsOf('workers: 1\nworkers: 2\n')[0]!, /^p\.yaml:2:1: .*unique/);
  assert.match(problemsOf('workers: [\n')[0]!, /^p\.yaml:2:1/);
  assert.ok(problemsOf('listeners: [{ mode: none }]').some((text) => /manual/.test(text)));
});

import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { startAcmeServer } from '../../test/fixtures/acme-server.ts';
import { ACME_PROBLEMS } from '../acme/index.ts';
import { CA_METRICS } from '../ca/metrics.ts';
import { ACME_METRICS } from './metrics.ts';
import { ProfileSettings } from './profile.ts';

const DOCUMENT = readFileSync(new URL('../../docs/acme-server.md', import.meta.url), 'utf8');
const tableOf = (mark: string) => DOCUMENT.split(`<!-- ${mark} -->\n`)[1]?.split(`\n<!-- /${mark} -->`)[0] ?? '';
/** What a column of a table holds in backticks. */
const column = (mark: string, index: number) =>
  tableOf(mark)
    .split('\n')
    .slice(2)
    .map((line) => line.split(' | ')[index]!.replace(/^\| /, '').replaceAll('`', ''));

const SOURCES = globSync('src/{acme-server,ca,control,main}/**/*.ts', {
  cwd: new URL('../../', import.meta.url),
})
  .filter((file) => !file.endsWith('.test.ts'))
  .map((file) => ({ file, text: readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8') }));
/** Every text of the sources that the pattern's first group finds. */
const found = (pattern: RegExp, room = '') => [
  ...new Set(
    SOURCES.filter(({ file }) => file.startsWith(`src/${room}`)).flatMap(({ text }) =>
      [...text.matchAll(pattern)].map((match) => match[1]!),
    ),
  ),
];

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
  assert.equal(
    tableOf('settings'),
    ['| setting | default | what it is |', '|---|---|---|', ...rows(ProfileSettings as Shape)].join('\n'),
  );
});

test('docs/acme-server.md lists every problem type that the server answers with its status, and no other', () => {
  const types = Object.keys(ACME_PROBLEMS) as (keyof typeof ACME_PROBLEMS)[];
  const literals = found(/'([a-zA-Z]+)'/g, 'acme-server/');
  const answered = types.filter((type) => literals.includes(type));
  const statuses = column('errors', 1);
  assert.deepEqual(
    column('errors', 0).map((type, index) => `${type} ${statuses[index]}`),
    answered.map((type) => `${type} ${ACME_PROBLEMS[type]}`),
  );
});

test('docs/acme-server.md lists every audit action and actor of the server and the CA, and no other', () => {
  const actions = found(/'((?:acme_(?!limit)|ca_(?!crl))[a-z_]+\.[a-z_]+)'/g);
  assert.deepEqual(column('actions', 0).sort(), actions.sort());
  const actors = found(/['`](acme(?:-[a-z-]+)?:[a-z$]+)/g)
    .filter((actor) => !actor.startsWith('acme:') || actor === 'acme:$')
    .map((actor) => actor.replace(/\$$/, '{}'));
  assert.deepEqual(
    column('actors', 0)
      .map((actor) => actor.replace(/\{.*\}/, '{}'))
      .sort(),
    [...new Set(actors)].sort(),
  );
});

test('docs/acme-server.md lists every number of /metrics, as the code describes them', async (t) => {
  const kinds = { ...ACME_METRICS, ...CA_METRICS };
  assert.equal(
    tableOf('metrics'),
    [
      '| metric | labels | what it is |',
      '|---|---|---|',
      ...Object.entries(kinds).map(
        ([name, { labels, help }]) => `| \`${name}\` | ${labels.map((label) => `\`${label}\``).join(', ')} | ${help} |`,
      ),
    ].join('\n'),
  );
  const { acme, ca } = await startAcmeServer(t, { plain: true });
  const text = `${await acme.metrics()}${await ca.metrics()}`;
  assert.deepEqual(
    [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name),
    Object.keys(kinds),
  );
});

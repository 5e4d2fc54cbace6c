import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { acmeServerSettings, CaConfig } from './ca-config.ts';
import { loadUpConfig } from './config.ts';

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

test('what has parts of its own is JSON in a variable, and a wrong one says what is wrong with it', () => {
  const load = (name: string, text: string) => loadUpConfig(undefined, { [`GATEHOUSE_${name}`]: text });
  const perspectives = [{ name: 'paris', url: 'https://paris.example:8445' }];
  assert.deepEqual(
    load('ACME_SERVER_PERSPECTIVES', JSON.stringify(perspectives)).acme_server.perspectives,
    perspectives,
  );
  assert.deepEqual(load('CA_SIGNERS', '{"token": ["/bin/sign", "--slot", "1"]}').ca.signers, {
    token: ['/bin/sign', '--slot', '1'],
  });
  assert.deepEqual(load('CA_NAME_CONSTRAINTS_PERMITTED', 'corp.example, 10.0.0.0/8').ca.name_constraints.permitted, [
    'corp.example',
    '10.0.0.0/8',
  ]);
  const refused = (name: string, text: string, words: RegExp) =>
    assert.throws(() => load(name, text), { code: 'invalid_config', message: words });
  refused(
    'ACME_SERVER_PERSPECTIVES',
    'paris',
    /GATEHOUSE_ACME_SERVER_PERSPECTIVES=paris: is not a JSON list of objects: /,
  );
  refused('ACME_SERVER_PERSPECTIVES', '{"name":"paris"}', /is not a JSON list of objects$/);
  refused('ACME_SERVER_PERSPECTIVES', '[{"name":"paris"}]', /acme_server\.perspectives.*url/);
  refused('CA_SIGNERS', '["/bin/sign"]', /GATEHOUSE_CA_SIGNERS=.*: is not a JSON object$/);
  refused('CA_SIGNERS', '{"token": "/bin/sign"}', /ca\.signers\.token/);
});

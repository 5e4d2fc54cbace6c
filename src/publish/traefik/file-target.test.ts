import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { publisherContract } from '../../../test/contract/publishers.ts';
import { temporaryDirectory } from '../../../test/fixtures/temporary.ts';
import { createVirtualClock } from '../../base/index.ts';
import type { Dynamic } from './dynamic.ts';
import { createTraefikFileTarget } from './file-target.ts';

const documents = (directory: string): [file: string, document: Dynamic][] =>
  readdirSync(directory)
    .filter((file) => file.endsWith('.yml'))
    .map((file) => [file, parse(readFileSync(join(directory, file), 'utf8')) as Dynamic]);

publisherContract('traefik files', async (t) => {
  const directory = temporaryDirectory(t);
  // Every file is written by a rename, so a new inode is a write.
  const inodes = new Set<bigint>();
  return {
    open: () => createTraefikFileTarget({ directory }, createVirtualClock()),
    routes: () =>
      new Map(
        documents(directory).flatMap(([, { http = {} }]) =>
          Object.entries(http.routers ?? {}).map(([name, { rule }]) => [
            /`([^`]+)`/.exec(rule)![1]!,
            JSON.stringify(http.services?.[name] ?? http.middlewares),
          ]),
        ),
      ),
    certificates: () =>
      new Map(
        documents(directory).flatMap(([file, { tls }]) =>
          (tls?.certificates ?? []).map(({ certFile }) => [
            file.replace(/^gatehouse-|\.yml$/g, ''),
            readFileSync(certFile, 'utf8'),
          ]),
        ),
      ),
    writes() {
      for (const file of readdirSync(directory)) inodes.add(statSync(join(directory, file), { bigint: true }).ino);
      return inodes.size;
    },
  };
});

const served = (version: string) => ({
  id: 'cert_1',
  version,
  names: ['shop.example.com'],
  chain: `chain of ${version}`,
  key: `key of ${version}`,
  notBefore: 0,
  notAfter: 1,
});

test('keys are for their owner only, and nothing that is not ours is touched', async (t) => {
  const directory = temporaryDirectory(t);
  writeFileSync(join(directory, 'operator.yml'), 'http: {}');
  writeFileSync(join(directory, '.gatehouse-half.yml.tmp'), 'left by a crash');
  writeFileSync(join(directory, 'gatehouse-cert_9-ver_1.key'), 'left by a crash');
  const target = createTraefikFileTarget({ directory, seenAs: '/etc/traefik/dynamic' }, createVirtualClock());
  assert.deepEqual([...(await target.inventory())], []);
  await target.deliver({ groups: [], certificates: [served('ver_1')], gone: ['operator', '../operator'] });
  assert.deepEqual(readdirSync(directory).sort(), [
    'gatehouse-cert_1-ver_1.crt',
    'gatehouse-cert_1-ver_1.key',
    'gatehouse-cert_1.yml',
    'operator.yml',
  ]);
  assert.equal(statSync(join(directory, 'gatehouse-cert_1-ver_1.key')).mode & 0o777, 0o600);
  assert.match(
    readFileSync(join(directory, 'gatehouse-cert_1.yml'), 'utf8'),
    /^# gatehouse certificate cert_1 ver_1\n[\s\S]*certFile: \/etc\/traefik\/dynamic\/gatehouse-cert_1-ver_1\.crt/,
  );
});

test('the files of a replaced version outlive the configuration that named them, and those of a revoked one do not', async (t) => {
  const directory = temporaryDirectory(t);
  const clock = createVirtualClock();
  const target = createTraefikFileTarget({ directory }, clock);
  await target.inventory();
  const keys = () => readdirSync(directory).filter((file) => file.endsWith('.key'));
  const deliver = (version?: string) =>
    target.deliver({ groups: [], certificates: version ? [served(version)] : [], gone: version ? [] : ['cert_1'] });
  await deliver('ver_1');
  await deliver('ver_2');
  assert.equal(keys().length, 2);
  await clock.advance(60_000);
  await deliver('ver_3');
  assert.deepEqual(keys(), ['gatehouse-cert_1-ver_2.key', 'gatehouse-cert_1-ver_3.key']);
  await deliver();
  assert.deepEqual(keys(), ['gatehouse-cert_1-ver_2.key']);
});

test('a file that somebody changed or emptied is written again', async (t) => {
  const directory = temporaryDirectory(t);
  const target = createTraefikFileTarget({ directory }, createVirtualClock());
  await target.inventory();
  await target.deliver({ groups: [], certificates: [served('ver_1')], gone: [] });
  const file = join(directory, 'gatehouse-cert_1.yml');
  writeFileSync(file, '');
  utimesSync(file, 0, 0);
  await target.inventory();
  assert.notEqual(target.holds('cert_1'), 'ver_1');
});

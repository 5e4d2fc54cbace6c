import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { parseConfig } from '../../src/base/index.ts';
import { ProxyConfig } from '../../src/edge/index.ts';
import { commandOf, environmentOf, lastOf, stagesOf } from '../fixtures/dockerfile.ts';
import { ROOT } from '../fixtures/gatehouse.ts';

// What can be known of the image without a container engine. That its command runs from the files of a release is in
// test/scenarios/release.test.ts.

const DOCKERFILE = 'deploy/container/Dockerfile';
const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
const [build = [], image = []] = stagesOf(DOCKERFILE);

test('the image is built from what the release makes, with the Node.js that the product runs on', () => {
  const [major = ''] = manifest.dependencies.node.split('.');
  for (const stage of [build, image]) assert.match(lastOf(stage, 'FROM'), new RegExp(`^node:${major}-slim\\b`));
  const steps = lastOf(build, 'RUN').split(' && ');
  const [, to = ''] = /^npm run release -- --to (\S+)$/.exec(steps.at(-1)!) ?? [];
  assert.deepEqual(steps.slice(0, -1), ['npm ci']);
  assert.ok(existsSync(join(ROOT, 'package-lock.json')), 'npm ci needs it');
  assert.match(manifest.scripts.release, /^node deploy\/release\.ts$/);
  // The console is built as npm ci ends.
  assert.equal(manifest.scripts.prepare, 'npm run -s console:build');
  const where = lastOf(image, 'WORKDIR');
  assert.equal(lastOf(image, 'COPY'), `--from=build ${to}/${manifest.name} ${where}`);
  const [program = ''] = commandOf(image);
  assert.equal(program, join(where, manifest.bin.gatehouse));
});

test('what the build takes from the checkout is not kept away from it', () => {
  const left = readFileSync(join(ROOT, `${DOCKERFILE}.dockerignore`), 'utf8').split('\n');
  for (const part of ['bin', 'src', 'web', 'deploy', 'docs', 'examples', 'package.json', 'package-lock.json', '.npmrc'])
    assert.ok(!left.includes(part), part);
  for (const part of ['.git', 'node_modules', 'data']) assert.ok(left.includes(part), part);
});

test('the image runs as nobody special, and keeps what it keeps in its one volume', () => {
  const user = lastOf(image, 'USER');
  assert.doesNotMatch(user, /^(root|0)\b/);
  const last = (name: string) => image.findLastIndex((instruction) => instruction.name === name);
  assert.ok(last('USER') > last('RUN') && last('USER') < last('ENTRYPOINT'));
  const volume = lastOf(image, 'VOLUME');
  assert.equal(lastOf(image, 'RUN'), `install -d -o ${user} -g ${user} -m 0700 ${volume}`);
  const { NODE_ENV, ...own } = environmentOf(image);
  assert.equal(NODE_ENV, 'production');
  // Both are read: by `gatehouse proxy` and by `gatehouse up`.
  assert.deepEqual(own, { STATE_DIRECTORY: volume, GATEHOUSE_DATA_DIR: volume });
  assert.equal(lastOf(image, 'STOPSIGNAL'), 'SIGTERM');
});

test('the compose file names ports, mounts and times of the image', () => {
  const path = join(ROOT, 'deploy/container/compose.yaml');
  const { services, volumes } = parse(readFileSync(path, 'utf8'), { strict: true, uniqueKeys: true });
  const { proxy } = services;
  const context = resolve(path, '..', proxy.build.context);
  assert.equal(context, resolve(ROOT));
  assert.equal(join(context, proxy.build.dockerfile), join(ROOT, DOCKERFILE));

  const inside = proxy.ports.map((port: string) => port.split(':')[1]);
  assert.deepEqual(inside, lastOf(image, 'EXPOSE').split(' '));
  // Who is not root and has no capability binds none below 1024.
  assert.deepEqual(proxy.cap_drop, ['ALL']);
  for (const port of inside) assert.ok(Number(port) >= 1024);

  const [, , , file] = commandOf(image);
  const mounts = proxy.volumes.map((mount: string) => mount.split(':'));
  assert.deepEqual(mounts, [
    ['./proxy.yaml', file, 'ro'],
    [Object.keys(volumes)[0], lastOf(image, 'VOLUME')],
  ]);
  assert.equal(proxy.read_only, true);
  assert.deepEqual(proxy.tmpfs, ['/tmp:mode=1777']);
  assert.deepEqual(proxy.security_opt, ['no-new-privileges:true']);
  // The product ends by itself before it is killed.
  const { drain_seconds } = parseConfig(ProxyConfig, 'listeners: [{ http_port: 8080 }]', 'proxy.yaml');
  assert.ok(Number.parseInt(proxy.stop_grace_period, 10) > drain_seconds, `${drain_seconds} s`);
});

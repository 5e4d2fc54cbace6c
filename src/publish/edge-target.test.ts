import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { publisherContract } from '../../test/contract/publishers.ts';
import { temporaryDirectory } from '../../test/fixtures/temporary.ts';
import { createPictureReader, createPictureWriter, type Route } from '../picture/index.ts';
import { createSealer } from '../secrets/index.ts';
import { createEdgeTarget } from './edge-target.ts';

test('from one name of an app to another is a redirect to our own port', async (t) => {
  const writer = createPictureWriter(join(temporaryDirectory(t), 'picture.db'), createSealer([Buffer.alloc(32, 9)]));
  t.after(() => writer.close());
  const to = async (kind: 'domain' | 'exposure') => {
    const origin = kind === 'domain' ? { kind, appId: 'a', appName: 'a' } : { kind, name: 'x' };
    const route = { id: 'dom_1', host: 'www.a.test', path: '/', upstreams: [], redirect: { to: 'https://a.test' } };
    const written: string[] = [];
    const picture = {
      ...writer,
      replaceRoutes: (_: string, [one]: readonly Route[]) => void written.push(one!.redirect!.to),
    };
    const groups = [{ id: 'dom_1', host: 'www.a.test', origin, routes: [route] }];
    await createEdgeTarget(picture, 8443).deliver({ groups, certificates: [], gone: [] });
    return written[0];
  };
  assert.equal(await to('domain'), 'https://a.test:8443');
  // What a person wrote is left as it is.
  assert.equal(await to('exposure'), 'https://a.test');
});

publisherContract('edge', async (t) => {
  const path = join(temporaryDirectory(t), 'picture.db');
  const sealer = createSealer([Buffer.alloc(32, 9)]);
  const writer = createPictureWriter(path, sealer);
  const reader = createPictureReader(path, sealer);
  t.after(() => {
    writer.close();
    reader.close();
  });
  return {
    open: () => createEdgeTarget(writer),
    routes: () =>
      new Map(
        [...reader.routes()].map(({ host, upstreams, redirect }) => [host, redirect?.to ?? upstreams[0]?.url ?? '']),
      ),
    certificates: () =>
      new Map(
        reader
          .expiries()
          .map(({ id, names }) => [id, reader.certificatesFor(names[0]!).find((c) => c.id === id)!.chain]),
      ),
    writes: () => reader.latestChange(),
  };
});

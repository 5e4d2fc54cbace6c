import { join } from 'node:path';
import { publisherContract } from '../../test/contract/publishers.ts';
import { temporaryDirectory } from '../../test/fixtures/temporary.ts';
import { createPictureReader, createPictureWriter } from '../picture/index.ts';
import { createSealer } from '../secrets/index.ts';
import { createEdgeTarget } from './edge-target.ts';

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

import { createProblems, newId, readInput } from '../base/index.ts';
import { deleteInstance, findInstance, type InstanceRow, insertInstance, listInstances } from '../store/networks.ts';
import { peersOfInstance } from '../store/peers.ts';
import { type Collection, type Document, inUse, missing, time } from './collection.ts';
import { NAME_RULE, type NetworkDeps } from './deps.ts';

/** Machines that services run on; each has a peer in every network that it is attached to. */
export function createInstances({ store, clock }: NetworkDeps): Collection {
  const document = async (row: InstanceRow): Promise<Document> => ({
    id: row.id,
    name: row.name,
    peers: (await peersOfInstance(store.db, row.id)).map(({ id, network_id }) => ({ id, network_id })),
    created_at: time(row.created_at),
  });
  return {
    async list({ after, limit }) {
      const rows = await listInstances(store.db, { limit, ...(after !== undefined && { after }) });
      return Promise.all(rows.map(document));
    },
    async get(reference) {
      const row = await findInstance(store.db, reference);
      return row && document(row);
    },
    async create(input) {
      const problems = createProblems();
      const read = readInput(input, problems);
      const name = read.text('name', { ...NAME_RULE, required: true });
      read.refuseOthers();
      if (name !== undefined && (await findInstance(store.db, name)) !== undefined)
        problems.add('name', 'taken', `there is an instance ${name} already`);
      problems.throwIfAny();
      const now = clock.now();
      const row = { id: newId('ins', now), name: name!, created_at: now };
      await store.write((tx) => insertInstance(tx, row));
      return document(row);
    },
    remove: (reference) =>
      store.write(async (tx) => {
        const row = await findInstance(tx, reference);
        if (row === undefined) throw missing('instance', reference);
        const peers = await peersOfInstance(tx, row.id);
        if (peers.length > 0)
          throw inUse(
            'instance',
            row.name,
            peers.map(({ name }) => `the peer ${name}`),
            'remove its peers first',
          );
        await deleteInstance(tx, row.id);
      }),
  };
}

import { createProblems, readInput } from '../base/index.ts';
import type { MissionKind, MissionPlan } from '../missions/index.ts';
import { exposuresOfMapping } from '../store/exposures.ts';
import { type Db, recordChange } from '../store/index.ts';
import { peerById } from '../store/peers.ts';
import {
  deletePortMapping,
  type PortMappingRow,
  portMappingById,
  updatePortMapping,
  virtualIpById,
} from '../store/virtual-ips.ts';
import { inUse, missing } from './collection.ts';
import type { NetworkDeps } from './deps.ts';

/** Lets a hub forward a mapping that was made by hand. */
export function openMappingKind({ store, clock }: NetworkDeps): MissionKind {
  return {
    kind: 'open_port_mapping',
    description: 'let a hub forward a port mapping that was made by hand',
    async plan(input) {
      const row = await mappingOf(store.db, input);
      const words = await describe(store.db, row);
      return plan(row, `Open ${words}`, { step: 'port_mapping', action: 'open', detail: `forward ${words}` });
    },
    runners: [
      {
        step: 'port_mapping',
        run: ({ plan: { resolved } }) =>
          store.write(async (tx) => {
            const row = await portMappingById(tx, String(resolved.port_mapping_id));
            if (row === undefined) throw missing('port mapping', String(resolved.port_mapping_id));
            if (row.opened === 0) await updatePortMapping(tx, row.id, { opened: 1 }, clock.now());
            await recordChange(tx, 'network', row.network_id, clock.now());
            return { outputs: { port_mapping_id: row.id } };
          }),
      },
    ],
    result: ({ resolved }) => ({ status: 'open', port_mapping_id: resolved.port_mapping_id ?? null }),
  };
}

/** Stops and removes a mapping that was made by hand. */
export function closeMappingKind({ store, clock }: NetworkDeps): MissionKind {
  return {
    kind: 'close_port_mapping',
    description: 'stop and remove a port mapping that was made by hand',
    async plan(input) {
      const row = await mappingOf(store.db, input);
      const exposures = (await exposuresOfMapping(store.db, row.id)).map(
        ({ hostname }) => `the exposure of ${hostname}`,
      );
      if (exposures.length > 0)
        throw inUse(
          'port mapping',
          `${row.listen_port}/${row.protocol}`,
          exposures,
          'withdraw those: gatehouse unexpose',
        );
      const words = await describe(store.db, row);
      return plan(row, `Close ${words}`, {
        step: 'port_mapping',
        action: 'remove',
        detail: `no longer forward ${words}`,
      });
    },
    runners: [
      {
        step: 'port_mapping',
        run: ({ plan: { resolved } }) =>
          store.write(async (tx) => {
            const row = await portMappingById(tx, String(resolved.port_mapping_id));
            if (row === undefined) return { outputs: { removed: null } };
            await deletePortMapping(tx, row.id);
            await recordChange(tx, 'network', row.network_id, clock.now());
            return { outputs: { removed: row.id } };
          }),
      },
    ],
    result: ({ resolved }) => ({ status: 'closed', port_mapping_id: resolved.port_mapping_id ?? null }),
  };
}

async function mappingOf(db: Db, input: Readonly<Record<string, unknown>>): Promise<PortMappingRow> {
  const problems = createProblems();
  const read = readInput(input, problems);
  const id = read.text('port_mapping_id', { required: true });
  read.refuseOthers();
  const row = id === undefined ? undefined : await portMappingById(db, id);
  if (id !== undefined && row === undefined)
    problems.add('port_mapping_id', 'port_mapping_not_found', `there is no port mapping ${id}`);
  problems.throwIfAny();
  return row!;
}

async function describe(db: Db, row: PortMappingRow): Promise<string> {
  const hub = await peerById(db, row.hub_peer_id);
  const target =
    row.target_virtual_ip_id === null
      ? (await peerById(db, row.target_peer_id ?? ''))?.name
      : (await virtualIpById(db, row.target_virtual_ip_id))?.name;
  return `${row.listen_port}/${row.protocol} on ${hub?.name ?? row.hub_peer_id} to ${target ?? 'nothing'}, port ${row.target_port}`;
}

function plan(row: PortMappingRow, title: string, step: MissionPlan['steps'][number]): MissionPlan {
  const sources = [...JSON.parse(row.sources_ipv4), ...JSON.parse(row.sources_ipv6)] as string[];
  return {
    title,
    inputs: { port_mapping_id: row.id },
    steps: [step],
    warnings: sources.length === 0 && step.action === 'open' ? ['anybody on the internet may connect'] : [],
    resolved: {
      port_mapping_id: row.id,
      target_virtual_ip_id: row.target_virtual_ip_id,
      target_peer_id: row.target_peer_id,
      target_port: row.target_port,
      sources,
    },
  };
}

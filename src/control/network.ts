import type { OwnDocument } from '../contract/index.ts';
import { type Actor, requirePermission } from './actor.ts';
import { absent, type ControlDeps, notFound, performed } from './context.ts';
import { decodeCursor, limitOf, type Page, type PageInput, pageOf } from './page.ts';
import type { DocumentCollection, NetworkPort } from './ports/index.ts';

export const NETWORK_KINDS = ['networks', 'peers', 'virtual_ips', 'port_mappings'] as const;
export type NetworkKind = (typeof NETWORK_KINDS)[number];

const WORD: Record<NetworkKind, string> = {
  networks: 'network',
  peers: 'peer',
  virtual_ips: 'virtual IP',
  port_mappings: 'port mapping',
};

export interface NetworkUseCases {
  list(actor: Actor, kind: NetworkKind, input: PageInput & { network?: string }): Promise<Page<OwnDocument>>;
  get(actor: Actor, kind: NetworkKind, reference: string): Promise<OwnDocument>;
  create(actor: Actor, kind: NetworkKind, input: Readonly<Record<string, unknown>>): Promise<OwnDocument>;
  remove(actor: Actor, kind: NetworkKind, reference: string): Promise<void>;
}

export function createNetworkUseCases(deps: ControlDeps): NetworkUseCases {
  const collection = (kind: NetworkKind): DocumentCollection => {
    const network = deps.network;
    if (network === undefined) throw absent('the overlay network');
    const of: Record<NetworkKind, keyof NetworkPort> = {
      networks: 'networks',
      peers: 'peers',
      virtual_ips: 'virtualIps',
      port_mappings: 'portMappings',
    };
    return network[of[kind]];
  };
  const act = (verb: string, kind: NetworkKind, resource: string, facts = {}) => ({
    permission: 'system.network.manage' as const,
    action: `${kind.slice(0, -1)}.${verb}`,
    resource: `${kind.slice(0, -1)}:${resource.slice(0, 200)}`,
    facts,
  });
  return {
    async list(actor, kind, input) {
      requirePermission(actor, 'system.network.manage');
      const after = decodeCursor(input.cursor, 'string');
      const rows = await collection(kind).list({
        limit: limitOf(input) + 1,
        ...(after !== undefined && { after }),
        ...(input.network !== undefined && { network: input.network }),
      });
      return pageOf(
        rows,
        limitOf(input),
        ({ id }) => id,
        (row): OwnDocument => row,
      );
    },
    async get(actor, kind, reference) {
      requirePermission(actor, 'system.network.manage');
      const found = await collection(kind).get(reference);
      if (found === undefined) throw notFound(WORD[kind], reference);
      return found;
    },
    create: (actor, kind, input) =>
      performed(deps, actor, act('create', kind, String(input.name ?? 'new'), input), () =>
        collection(kind).create(input),
      ),
    remove: (actor, kind, reference) =>
      performed(deps, actor, act('remove', kind, reference), () => collection(kind).remove(reference)),
  };
}

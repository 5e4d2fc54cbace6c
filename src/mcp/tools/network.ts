import { type TSchema, Type } from 'typebox';
import {
  CreateInstance,
  CreateNetwork,
  CreatePeer,
  CreatePortMapping,
  CreateVirtualIp,
  Exposure,
  IngressRoute,
  Instance,
  Network,
  NetworkQuery,
  PageQuery,
  Peer,
  PortMapping,
  VirtualIp,
} from '../../contract/index.ts';
import type { Control } from '../../control/index.ts';
import { MAKES, READS, type Tool } from '../tool.ts';

const Cursor = Type.Union([Type.String(), Type.Null()]);

interface Kind {
  /** `virtual_ip`, `virtual_ips`. */
  readonly one: string;
  readonly many: string;
  readonly of: TSchema;
  readonly from: TSchema;
  readonly note?: string;
  useCases(control: Control): Pick<Control['network'][keyof Control['network']], 'list' | 'create'>;
}

const KINDS: readonly Kind[] = [
  { one: 'network', many: 'networks', of: Network, from: CreateNetwork, useCases: ({ network }) => network.networks },
  {
    one: 'instance',
    many: 'instances',
    of: Instance,
    from: CreateInstance,
    useCases: ({ network }) => network.instances,
  },
  { one: 'peer', many: 'peers', of: Peer, from: CreatePeer, useCases: ({ network }) => network.peers },
  {
    one: 'virtual_ip',
    many: 'virtual_ips',
    of: VirtualIp,
    from: CreateVirtualIp,
    useCases: ({ network }) => network.virtualIps,
  },
  {
    one: 'port_mapping',
    many: 'port_mappings',
    of: PortMapping,
    from: CreatePortMapping,
    note: ' It stays closed until a person approves the mission that this answers.',
    useCases: ({ network }) => network.portMappings,
  },
];

export const networkTools: readonly Tool[] = KINDS.flatMap((kind): Tool[] => {
  const words = kind.one.replaceAll('_', ' ');
  return [
    {
      name: `system_sdwan_list_${kind.many}`,
      title: `List ${kind.many.replaceAll('_', ' ')}`,
      description: `Lists the ${kind.many.replaceAll('_', ' ')} of overlay networks.`,
      permission: 'system.network.manage',
      input: NetworkQuery,
      output: Type.Object({ [kind.many]: Type.Array(kind.of), next_cursor: Cursor }),
      hints: READS,
      async run(control, actor, input) {
        const { data, page } = await kind.useCases(control).list(actor, input);
        return { [kind.many]: data, next_cursor: page.next_cursor };
      },
    },
    {
      name: `system_sdwan_create_${kind.one}`,
      title: `Make a ${words}`,
      description: `Makes a ${words}.${kind.note ?? ''}`,
      permission: 'system.network.manage',
      input: kind.from,
      output: Type.Object({ [kind.one]: kind.of }),
      hints: MAKES,
      run: async (control, actor, input) => ({ [kind.one]: await kind.useCases(control).create(actor, input) }),
    },
  ];
});

export const routesTool: Tool = {
  name: 'system_list_ingress_routes',
  title: 'List published routes',
  description:
    'The routes that are published, derived from domains and exposures, and how far each publisher has them.',
  permission: 'system.ingress.read',
  input: Type.Object({ ...PageQuery, prefix: Type.Optional(Type.String({ maxLength: 253 })) }),
  output: Type.Object({ routes: Type.Array(IngressRoute), next_cursor: Cursor }),
  hints: READS,
  async run(control, actor, input) {
    const { data, page } = await control.ingress.list(actor, input);
    return { routes: data, next_cursor: page.next_cursor };
  },
};

export const exposuresTool: Tool = {
  name: 'system_list_exposures',
  title: 'List exposures',
  description: 'Services that were made public, with their state, and those whose mission failed half-way.',
  permission: 'system.ingress.read',
  input: Type.Object(PageQuery),
  output: Type.Object({ exposures: Type.Array(Exposure), next_cursor: Cursor }),
  hints: READS,
  async run(control, actor, input) {
    const { data, page } = await control.ingress.exposures(actor, input);
    return { exposures: data, next_cursor: page.next_cursor };
  },
};

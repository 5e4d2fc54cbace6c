import type {
  Enrolment,
  Instance,
  Mission,
  Network,
  Peer,
  PortMapping,
  ProposeMission,
  VirtualIp,
} from '../contract/index.ts';
import { type Actor, requirePermission, requireUnscoped } from './actor.ts';
import { absent, type ControlDeps, notFound, performed } from './context.ts';
import { time } from './documents.ts';
import { decodeCursor, limitOf, type Page, type PageInput, pageOf } from './page.ts';
import type { DocumentCollection, NetworkDocument, NetworkPort } from './ports/index.ts';

type Input = Readonly<Record<string, unknown>>;

export interface CollectionUseCases<T> {
  list(actor: Actor, input: PageInput & { network?: string }): Promise<Page<T>>;
  get(actor: Actor, reference: string): Promise<T>;
  create(actor: Actor, input: Input): Promise<T>;
  remove(actor: Actor, reference: string): Promise<void>;
}

export interface NetworkUseCases {
  readonly networks: CollectionUseCases<Network>;
  readonly instances: CollectionUseCases<Instance>;
  readonly peers: CollectionUseCases<Peer> & { enrol(actor: Actor, id: string): Promise<Enrolment> };
  readonly virtualIps: CollectionUseCases<VirtualIp>;
  readonly portMappings: Omit<CollectionUseCases<PortMapping>, 'remove'> & {
    /** One that is open is closed by a mission, which is answered; nothing is withdrawn without approval. */
    remove(actor: Actor, id: string): Promise<Mission | undefined>;
  };
}

type Propose = (actor: Actor, input: ProposeMission) => Promise<Mission>;

export function createNetworkUseCases(deps: ControlDeps, propose: Propose): NetworkUseCases {
  const port = (): NetworkPort => {
    if (deps.network === undefined) throw absent('the overlay network');
    return deps.network;
  };
  const portMappings = collection<PortMapping>(deps, 'port mapping', () => port().portMappings);
  return {
    networks: collection(deps, 'network', () => port().networks),
    instances: collection(deps, 'instance', () => port().instances),
    virtualIps: collection(deps, 'virtual IP', () => port().virtualIps),
    peers: {
      ...collection<Peer>(deps, 'peer', () => port().peers),
      enrol: (actor, id) =>
        performed(deps, actor, act('peer.enrol', `peer:${id.slice(0, 100)}`), async () => {
          const { enrol } = port();
          if (enrol === undefined) throw absent('the port for agents');
          const { token, expiresAt, command } = await enrol(id, actor.name);
          return { peer_id: id, token, expires_at: time(expiresAt), command };
        }),
    },
    portMappings: {
      ...portMappings,
      async create(actor, input) {
        const mapping = await portMappings.create(actor, input);
        const mission = await propose(actor, {
          kind: 'open_port_mapping',
          inputs: { port_mapping_id: mapping.id },
        });
        return { ...mapping, mission };
      },
      async remove(actor, id) {
        const mapping = await portMappings.get(actor, id);
        if (mapping.opened)
          return propose(actor, { kind: 'close_port_mapping', inputs: { port_mapping_id: mapping.id } });
        await portMappings.remove(actor, id);
        return undefined;
      },
    },
  };
}

const act = (action: string, resource: string, facts: Input = {}) =>
  ({ permission: 'system.network.manage', action, resource, facts }) as const;

function collection<T>(deps: ControlDeps, noun: string, port: () => DocumentCollection): CollectionUseCases<T> {
  const word = noun.replaceAll(' ', '_').toLowerCase();
  // The engine writes documents in the contract's shape, and the API serializes them by the contract's schema.
  const shaped = (document: NetworkDocument): T => document as unknown as T;
  const look = (actor: Actor) => {
    requirePermission(actor, 'system.network.manage');
    requireUnscoped(actor, 'the network');
  };
  return {
    async list(actor, input) {
      look(actor);
      const limit = limitOf(input);
      const after = decodeCursor(input.cursor, 'string');
      const { network } = input;
      const rows = await port().list({
        limit: limit + 1,
        ...(after !== undefined && { after }),
        ...(network !== undefined && { network }),
      });
      return pageOf(rows, limit, ({ id }) => id, shaped);
    },
    async get(actor, reference) {
      look(actor);
      const document = await port().get(reference);
      if (document === undefined) throw notFound(noun, reference);
      return shaped(document);
    },
    create: (actor, input) =>
      performed(
        deps,
        actor,
        act(`${word}.create`, `${word}:${String(input.name ?? '').slice(0, 100)}`, { input }),
        () => {
          requireUnscoped(actor, 'the network');
          return port().create(input).then(shaped);
        },
      ),
    remove: (actor, reference) =>
      performed(deps, actor, act(`${word}.delete`, `${word}:${reference.slice(0, 100)}`), () => {
        requireUnscoped(actor, 'the network');
        return port().remove(reference);
      }),
  };
}

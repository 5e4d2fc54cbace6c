import type { TSchema } from 'typebox';
import {
  CreateInstance,
  CreateNetwork,
  CreatePeer,
  CreatePortMapping,
  CreateVirtualIp,
  data,
  Enrolment,
  Instance,
  Mission,
  Network,
  NetworkQuery,
  Peer,
  PortMapping,
  VirtualIp,
} from '../../contract/index.ts';
import type { Actor } from '../../control/index.ts';
import { type Api, answers, creates, IdPath, lists, nothing, type RouteDeps } from '../route.ts';

const BASE = '/system/sdwan';
const tags = ['network'];

export function networkRoutes(api: Api, { control }: RouteDeps): void {
  const { networks, instances, peers, virtualIps, portMappings } = control.network;
  for (const [kind, things] of [
    [{ noun: 'Network', path: 'networks', of: Network, from: CreateNetwork }, networks],
    [{ noun: 'Instance', path: 'instances', of: Instance, from: CreateInstance }, instances],
    [{ noun: 'Peer', path: 'peers', of: Peer, from: CreatePeer }, peers],
    [{ noun: 'VirtualIp', path: 'virtual_ips', of: VirtualIp, from: CreateVirtualIp }, virtualIps],
  ] as const) {
    collectionRoutes(api, kind, things);
    removalRoute(api, kind, things);
  }
  const mapping = { noun: 'PortMapping', path: 'port_mappings', of: PortMapping, from: CreatePortMapping };
  collectionRoutes(api, mapping, portMappings);
  mappingRemovalRoute(api, portMappings);
  api.post(
    `${BASE}/peers/:id/enrol`,
    {
      schema: {
        tags,
        operationId: 'enrolPeer',
        summary: 'A token with which the peer’s agent enrols, once and soon',
        params: IdPath,
        response: creates(Enrolment),
      },
    },
    async (request, reply) => reply.code(201).send({ data: await peers.enrol(request.actor, request.params.id) }),
  );
}

type NetworkUseCases = RouteDeps['control']['network'];

interface Kind {
  readonly noun: string;
  readonly path: string;
  readonly of: TSchema;
  readonly from: TSchema;
}

/** The routes that every kind of thing in a network has. */
function collectionRoutes(
  api: Api,
  { noun, path, of, from }: Kind,
  things: Pick<NetworkUseCases[keyof NetworkUseCases], 'list' | 'get' | 'create'>,
): void {
  api.get(
    `${BASE}/${path}`,
    {
      schema: {
        tags,
        operationId: `list${noun}s`,
        summary: 'Lists them',
        querystring: NetworkQuery,
        response: lists(of),
      },
    },
    (request) => things.list(request.actor, request.query),
  );
  api.post(
    `${BASE}/${path}`,
    { schema: { tags, operationId: `create${noun}`, summary: 'Makes one', body: from, response: creates(of) } },
    async (request, reply) =>
      reply.code(201).send({ data: await things.create(request.actor, request.body as Record<string, unknown>) }),
  );
  api.get(
    `${BASE}/${path}/:id`,
    { schema: { tags, operationId: `get${noun}`, summary: 'Shows one', params: IdPath, response: answers(of) } },
    async (request) => ({ data: await things.get(request.actor, request.params.id) }),
  );
}

function removalRoute(
  api: Api,
  { noun, path }: Kind,
  things: { remove(actor: Actor, reference: string): Promise<void> },
): void {
  api.delete(
    `${BASE}/${path}/:id`,
    {
      schema: {
        tags,
        operationId: `delete${noun}`,
        summary: 'Removes one that nothing needs',
        params: IdPath,
        response: nothing,
      },
    },
    async (request, reply) => {
      await things.remove(request.actor, request.params.id);
      return reply.code(204).send(null);
    },
  );
}

/** Nothing is withdrawn without approval: the removal of an open mapping is a mission. */
function mappingRemovalRoute(api: Api, portMappings: NetworkUseCases['portMappings']): void {
  api.delete(
    `${BASE}/port_mappings/:id`,
    {
      schema: {
        tags,
        operationId: 'deletePortMapping',
        summary: 'Removes one that was never opened; proposes a mission that closes one that is open',
        params: IdPath,
        response: { ...nothing, 202: data(Mission) },
      },
    },
    async (request, reply) => {
      const mission = await portMappings.remove(request.actor, request.params.id);
      return mission === undefined ? reply.code(204).send(null) : reply.code(202).send({ data: mission });
    },
  );
}

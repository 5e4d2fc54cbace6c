import { Type } from 'typebox';
import { OwnDocument, PageQuery } from '../../contract/index.ts';
import { NETWORK_KINDS, type NetworkKind } from '../../control/index.ts';
import { type Api, answers, creates, IdPath, lists, nothing, type RouteDeps } from '../route.ts';

const NAMES: Record<NetworkKind, readonly [one: string, words: string]> = {
  networks: ['Network', 'overlay networks'],
  peers: ['Peer', 'peers'],
  virtual_ips: ['VirtualIp', 'virtual IPs'],
  port_mappings: ['PortMapping', 'port mappings'],
};

// The network knows its fields and names each wrong one; docs/network.md lists them.
const Body = Type.Record(Type.String(), Type.Unknown());

export function networkRoutes(api: Api, { control }: RouteDeps): void {
  const { network } = control;
  const tags = ['network'];
  for (const kind of NETWORK_KINDS) {
    const base = `/system/sdwan/${kind}`;
    const [one, words] = NAMES[kind];
    api.get(
      base,
      {
        schema: {
          tags,
          operationId: `list${one}s`,
          summary: `Lists ${words}`,
          querystring: Type.Object({
            ...PageQuery,
            network: Type.Optional(Type.String({ maxLength: 100, description: 'of this network only' })),
          }),
          response: lists(OwnDocument),
        },
      },
      (request) => network.list(request.actor, kind, request.query),
    );
    api.post(
      base,
      {
        schema: {
          tags,
          operationId: `create${one}`,
          summary: `Makes one of the ${words}`,
          body: Body,
          response: creates(OwnDocument),
        },
      },
      async (request, reply) => reply.code(201).send({ data: await network.create(request.actor, kind, request.body) }),
    );
    api.get(
      `${base}/:id`,
      {
        schema: {
          tags,
          operationId: `get${one}`,
          summary: `Shows one of the ${words}`,
          params: IdPath,
          response: answers(OwnDocument),
        },
      },
      async (request) => ({ data: await network.get(request.actor, kind, request.params.id) }),
    );
    api.delete(
      `${base}/:id`,
      {
        schema: {
          tags,
          operationId: `remove${one}`,
          summary: `Removes one of the ${words}`,
          params: IdPath,
          response: nothing,
        },
      },
      async (request, reply) => {
        await network.remove(request.actor, kind, request.params.id);
        return reply.code(204).send(null);
      },
    );
  }
}

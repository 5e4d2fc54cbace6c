import { Type } from 'typebox';
import {
  AcmeAccount,
  AcmeOrder,
  AcmeProfile,
  CreatedEabKey,
  CreateEabKey,
  EabKey,
  PageQuery,
} from '../../contract/index.ts';
import { type Api, answers, creates, IdPath, lists, nothing, type RouteDeps } from '../route.ts';

const BASE = '/system/acme_profiles';
const KeyPath = Type.Object({ id: Type.String({ maxLength: 100 }), key: Type.String({ maxLength: 100 }) });
// The ACME server knows its settings and names each wrong one; docs/acme-server.md lists them.
const ProfileBody = Type.Object(
  {},
  { additionalProperties: true, description: 'id, default and settings of a profile' },
);

export function acmeServerRoutes(api: Api, { control }: RouteDeps): void {
  const { acmeServer } = control;
  const tags = ['acme server'];
  api.get(
    BASE,
    {
      schema: {
        tags,
        operationId: 'listAcmeProfiles',
        summary: 'Lists profiles of the ACME server',
        querystring: Type.Object(PageQuery),
        response: lists(AcmeProfile),
      },
    },
    (request) => acmeServer.listProfiles(request.actor, request.query),
  );
  api.post(
    BASE,
    {
      schema: {
        tags,
        operationId: 'createAcmeProfile',
        summary: 'Makes a profile',
        body: ProfileBody,
        response: creates(AcmeProfile),
      },
    },
    async (request, reply) =>
      reply.code(201).send({ data: await acmeServer.createProfile(request.actor, request.body) }),
  );
  api.get(
    `${BASE}/:id`,
    {
      schema: {
        tags,
        operationId: 'getAcmeProfile',
        summary: 'Shows a profile',
        params: IdPath,
        response: answers(AcmeProfile),
      },
    },
    async (request) => ({ data: await acmeServer.getProfile(request.actor, request.params.id) }),
  );
  api.patch(
    `${BASE}/:id`,
    {
      schema: {
        tags,
        operationId: 'changeAcmeProfile',
        summary: 'Changes what is given; requests from now on follow it',
        params: IdPath,
        body: ProfileBody,
        response: answers(AcmeProfile),
      },
    },
    async (request) => ({ data: await acmeServer.changeProfile(request.actor, request.params.id, request.body) }),
  );
  api.delete(
    `${BASE}/:id`,
    {
      schema: {
        tags,
        operationId: 'removeAcmeProfile',
        summary: 'Removes a profile without accounts',
        params: IdPath,
        response: nothing,
      },
    },
    async (request, reply) => {
      await acmeServer.removeProfile(request.actor, request.params.id);
      return reply.code(204).send(null);
    },
  );
  api.get(
    `${BASE}/:id/eab_keys`,
    {
      schema: {
        tags,
        operationId: 'listEabKeys',
        summary: 'Lists keys for external account binding',
        params: IdPath,
        querystring: Type.Object(PageQuery),
        response: lists(EabKey),
      },
    },
    (request) => acmeServer.listEabKeys(request.actor, request.params.id, request.query),
  );
  api.post(
    `${BASE}/:id/eab_keys`,
    {
      schema: {
        tags,
        operationId: 'createEabKey',
        summary: 'Makes a key; its secret is in this answer only',
        params: IdPath,
        body: CreateEabKey,
        response: creates(CreatedEabKey),
      },
    },
    async (request, reply) =>
      reply.code(201).send({ data: await acmeServer.createEabKey(request.actor, request.params.id, request.body) }),
  );
  api.delete(
    `${BASE}/:id/eab_keys/:key`,
    {
      schema: {
        tags,
        operationId: 'revokeEabKey',
        summary: 'Revokes a key',
        params: KeyPath,
        response: answers(EabKey),
      },
    },
    async (request) => ({ data: await acmeServer.revokeEabKey(request.actor, request.params.id, request.params.key) }),
  );
  api.get(
    '/system/acme_accounts',
    {
      schema: {
        tags,
        operationId: 'listAcmeAccounts',
        summary: 'Lists accounts of the ACME server',
        querystring: Type.Object({ ...PageQuery, profile: Type.Optional(Type.String({ maxLength: 100 })) }),
        response: lists(AcmeAccount),
      },
    },
    (request) => acmeServer.listAccounts(request.actor, request.query),
  );
  api.get(
    '/system/acme_accounts/:id',
    {
      schema: {
        tags,
        operationId: 'getAcmeAccount',
        summary: 'Shows an account',
        params: IdPath,
        response: answers(AcmeAccount),
      },
    },
    async (request) => ({ data: await acmeServer.getAccount(request.actor, request.params.id) }),
  );
  api.get(
    '/system/acme_accounts/:id/orders',
    {
      schema: {
        tags,
        operationId: 'listAcmeOrders',
        summary: 'Lists orders of an account, newest first',
        params: IdPath,
        querystring: Type.Object(PageQuery),
        response: lists(AcmeOrder),
      },
    },
    (request) => acmeServer.listOrders(request.actor, request.params.id, request.query),
  );
  api.delete(
    '/system/acme_accounts/:id',
    {
      schema: {
        tags,
        operationId: 'deactivateAcmeAccount',
        summary: 'Deactivates an account',
        params: IdPath,
        response: answers(AcmeAccount),
      },
    },
    async (request) => ({ data: await acmeServer.deactivateAccount(request.actor, request.params.id) }),
  );
}

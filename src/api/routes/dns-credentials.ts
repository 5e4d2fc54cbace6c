import { Type } from 'typebox';
import { CreateDnsCredential, DnsCredential, DnsProvider, DoctorFinding, TryIssue } from '../../contract/index.ts';
import { type Api, answers, creates, IdPath, nothing, type RouteDeps } from '../route.ts';

const BASE = '/system/acme_dns_credentials';

export function dnsCredentialRoutes(api: Api, { control }: RouteDeps): void {
  const { dnsCredentials } = control;
  const tags = ['dns'];
  api.get(
    '/system/acme_dns_providers',
    {
      schema: {
        tags,
        operationId: 'listDnsProviders',
        summary: 'Lists DNS providers and the fields of each',
        response: answers(Type.Array(DnsProvider)),
      },
    },
    async (request) => ({ data: dnsCredentials.providers(request.actor) }),
  );
  api.get(
    BASE,
    {
      schema: {
        tags,
        operationId: 'listDnsCredentials',
        summary: 'Lists DNS credentials',
        response: answers(Type.Array(DnsCredential)),
      },
    },
    async (request) => ({ data: await dnsCredentials.list(request.actor) }),
  );
  api.post(
    BASE,
    {
      schema: {
        tags,
        operationId: 'createDnsCredential',
        summary: 'Keeps a credential and tries it; its secret never comes out again',
        body: CreateDnsCredential,
        response: creates(DnsCredential),
      },
    },
    async (request, reply) => reply.code(201).send({ data: await dnsCredentials.create(request.actor, request.body) }),
  );
  api.get(
    `${BASE}/:id`,
    {
      schema: {
        tags,
        operationId: 'getDnsCredential',
        summary: 'Shows a credential',
        params: IdPath,
        response: answers(DnsCredential),
      },
    },
    async (request) => ({ data: await dnsCredentials.get(request.actor, request.params.id) }),
  );
  api.delete(
    `${BASE}/:id`,
    {
      schema: {
        tags,
        operationId: 'removeDnsCredential',
        summary: 'Removes a credential and its secret',
        params: IdPath,
        response: nothing,
      },
    },
    async (request, reply) => {
      await dnsCredentials.remove(request.actor, request.params.id);
      return reply.code(204).send(null);
    },
  );
  api.post(
    `${BASE}/:id/validate`,
    {
      schema: {
        tags,
        operationId: 'validateDnsCredential',
        summary: 'Lists its zones and tries a harmless write and removal',
        params: IdPath,
        response: answers(DnsCredential),
      },
    },
    async (request) => ({ data: await dnsCredentials.validate(request.actor, request.params.id) }),
  );
  api.get(
    '/system/doctor',
    {
      schema: {
        tags,
        operationId: 'doctor',
        summary: 'Checks DNS, CAA, reachability, limits and clock, and says what would happen',
        querystring: Type.Object({ name: Type.Optional(Type.String({ maxLength: 1000 })) }),
        response: answers(Type.Array(DoctorFinding)),
      },
    },
    async (request) => ({ data: await dnsCredentials.doctor(request.actor, request.query.name) }),
  );
  api.post(
    '/system/doctor/staging',
    {
      schema: {
        tags,
        operationId: 'tryIssue',
        summary: 'Tries the whole issue at a staging issuer and throws the certificate away; answers when it is over',
        body: TryIssue,
        response: answers(Type.Array(DoctorFinding)),
      },
    },
    async (request) => ({ data: await dnsCredentials.tryIssue(request.actor, request.body) }),
  );
}

import { Type } from 'typebox';
import {
  AddDomain,
  CertificateEvent,
  ChangeDomain,
  DNS_STATES,
  Domain,
  PageQuery,
  TLS_STATUSES,
  words,
} from '../../contract/index.ts';
import { type Api, AppPath, answers, creates, DomainPath, lists, nothing, type RouteDeps } from '../route.ts';
import { answerSteps, StepsQuery } from '../steps.ts';

const Query = Type.Object({
  ...PageQuery,
  dns_state: Type.Optional(words(DNS_STATES)),
  tls_status: Type.Optional(words(TLS_STATUSES)),
  prefix: Type.Optional(Type.String({ maxLength: 253, description: 'names that begin so' })),
});

export function domainRoutes(api: Api, { control, clock }: RouteDeps): void {
  const tags = ['domains'];
  api.get(
    '/domains',
    {
      schema: {
        tags,
        operationId: 'listAllDomains',
        summary: 'Lists domains of every app',
        querystring: Query,
        response: lists(Domain),
      },
    },
    (request) => control.domains.list(request.actor, undefined, request.query),
  );
  api.get(
    '/domains/:domain',
    {
      schema: {
        tags,
        operationId: 'findDomain',
        summary: 'Shows a domain, whichever app holds it',
        params: Type.Object({ domain: Type.String({ maxLength: 1000 }) }),
        response: answers(Domain),
      },
    },
    async (request) => ({ data: await control.domains.find(request.actor, request.params.domain) }),
  );
  api.get(
    '/apps/:app/domains',
    {
      schema: {
        tags,
        operationId: 'listDomains',
        summary: "Lists an app's domains",
        params: AppPath,
        querystring: Query,
        response: lists(Domain),
      },
    },
    (request) => control.domains.list(request.actor, request.params.app, request.query),
  );
  api.post(
    '/apps/:app/domains',
    {
      schema: {
        tags,
        operationId: 'addDomain',
        summary: 'Claims a name for an app, routes it and wants a certificate; idempotent',
        params: AppPath,
        body: AddDomain,
        response: creates(Domain),
      },
    },
    async (request, reply) => {
      const { domain, created } = await control.domains.add(request.actor, request.params.app, request.body);
      const location = `/api/v1/apps/${domain.app.id}/domains/${domain.domain}`;
      return reply
        .code(created ? 201 : 200)
        .header('location', location)
        .send({ data: domain });
    },
  );
  api.get(
    '/apps/:app/domains/:domain',
    {
      schema: {
        tags,
        operationId: 'getDomain',
        summary: 'Shows a domain',
        params: DomainPath,
        response: answers(Domain),
      },
    },
    async (request) => ({ data: await control.domains.get(request.actor, request.params.app, request.params.domain) }),
  );
  api.patch(
    '/apps/:app/domains/:domain',
    {
      schema: {
        tags,
        operationId: 'changeDomain',
        summary: 'Changes routing or redirect',
        params: DomainPath,
        body: ChangeDomain,
        response: answers(Domain),
      },
    },
    async (request) => ({
      data: await control.domains.change(request.actor, request.params.app, request.params.domain, request.body),
    }),
  );
  api.delete(
    '/apps/:app/domains/:domain',
    {
      schema: {
        tags,
        operationId: 'removeDomain',
        summary: 'Withdraws route and certificate, and stops renewal',
        params: DomainPath,
        response: nothing,
      },
    },
    async (request, reply) => {
      await control.domains.remove(request.actor, request.params.app, request.params.domain);
      return reply.code(204).send(null);
    },
  );
  api.post(
    '/apps/:app/domains/:domain/verify',
    {
      schema: {
        tags,
        operationId: 'verifyDomain',
        summary: 'Looks at DNS again now, and tries now',
        params: DomainPath,
        response: answers(Domain),
      },
    },
    async (request) => ({
      data: await control.domains.verify(request.actor, request.params.app, request.params.domain),
    }),
  );
  api.get(
    '/apps/:app/domains/:domain/events',
    {
      schema: {
        tags,
        operationId: 'getDomainEvents',
        summary: 'Its way to being served; as server-sent events when asked for text/event-stream',
        params: DomainPath,
        querystring: StepsQuery,
        response: answers(Type.Array(CertificateEvent)),
      },
    },
    (request, reply) => {
      const { app, domain } = request.params;
      return answerSteps(request, reply, clock, (after, limit) =>
        control.domains.events(request.actor, app, domain, after, limit),
      );
    },
  );
}

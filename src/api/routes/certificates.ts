import { Type } from 'typebox';
import {
  CERTIFICATE_STATUSES,
  Certificate,
  CertificateDetail,
  CertificateEvent,
  CreateCertificate,
  MassRevocation,
  MassRevocationRehearsal,
  PageQuery,
  RevokeCertificate,
  UploadCertificate,
  words,
} from '../../contract/index.ts';
import { type Api, answers, creates, IdPath, lists, nothing, other, type RouteDeps } from '../route.ts';
import { answerSteps, StepsQuery } from '../steps.ts';

const BASE = '/system/acme_certificates';

export function certificateRoutes(api: Api, deps: RouteDeps): void {
  const { certificates } = deps.control;
  const tags = ['certificates'];
  api.get(
    BASE,
    {
      schema: {
        tags,
        operationId: 'listCertificates',
        summary: 'Lists certificates',
        querystring: Type.Object({
          ...PageQuery,
          status: Type.Optional(words(CERTIFICATE_STATUSES)),
          issuer: Type.Optional(Type.String({ maxLength: 100 })),
          prefix: Type.Optional(Type.String({ maxLength: 253, description: 'carry a name that begins so' })),
          expires_within_days: Type.Optional(Type.Number({ minimum: 0, maximum: 3650 })),
        }),
        response: lists(Certificate),
      },
    },
    (request) => certificates.list(request.actor, request.query),
  );
  api.post(
    BASE,
    {
      schema: {
        tags,
        operationId: 'createCertificate',
        summary: 'Wants a certificate; idempotent',
        body: CreateCertificate,
        response: creates(Certificate),
      },
    },
    async (request, reply) => reply.code(201).send({ data: await certificates.create(request.actor, request.body) }),
  );
  api.post(
    `${BASE}/upload`,
    {
      schema: {
        tags,
        operationId: 'uploadCertificate',
        summary: 'Serves a certificate that you bring',
        body: UploadCertificate,
        response: creates(Certificate),
      },
    },
    async (request, reply) => reply.code(201).send({ data: await certificates.upload(request.actor, request.body) }),
  );
  api.post(
    `${BASE}/mass_revocation/rehearsal`,
    {
      schema: {
        tags,
        operationId: 'rehearseMassRevocation',
        summary: 'What revoking many would do; doing it is a mission of kind mass_revoke_certificates',
        body: MassRevocation,
        response: answers(MassRevocationRehearsal),
      },
    },
    async (request) => ({ data: await certificates.rehearseRevocation(request.actor, request.body) }),
  );
  api.get(
    `${BASE}/:id`,
    {
      schema: {
        tags,
        operationId: 'getCertificate',
        summary: 'Shows a certificate, by id or by a name',
        params: IdPath,
        response: answers(CertificateDetail),
      },
    },
    async (request) => ({ data: await certificates.get(request.actor, request.params.id) }),
  );
  api.delete(
    `${BASE}/:id`,
    {
      schema: {
        tags,
        operationId: 'releaseCertificate',
        summary: 'Gives up your own wish for it',
        params: IdPath,
        response: nothing,
      },
    },
    async (request, reply) => {
      await certificates.release(request.actor, request.params.id);
      return reply.code(204).send(null);
    },
  );
  api.post(
    `${BASE}/:id/renew`,
    {
      schema: {
        tags,
        operationId: 'renewCertificate',
        summary: 'Renews it, or tries again, now',
        params: IdPath,
        response: answers(Certificate),
      },
    },
    async (request) => ({ data: await certificates.renew(request.actor, request.params.id) }),
  );
  api.post(
    `${BASE}/:id/revoke`,
    {
      schema: {
        tags,
        operationId: 'revokeCertificate',
        summary: 'Withdraws it everywhere at once and tells its issuer',
        params: IdPath,
        body: RevokeCertificate,
        response: answers(Certificate),
      },
    },
    async (request) => ({ data: await certificates.revoke(request.actor, request.params.id, request.body) }),
  );
  api.get(
    `${BASE}/:id/chain.pem`,
    {
      schema: {
        tags,
        operationId: 'getCertificateChain',
        summary: 'The served chain, leaf first',
        params: IdPath,
        response: other('application/pem-certificate-chain', 'PEM'),
      },
    },
    async (request, reply) => {
      const chain = await certificates.chain(request.actor, request.params.id);
      return reply.type('application/pem-certificate-chain').send(chain);
    },
  );
  api.get(
    `${BASE}/:id/events`,
    {
      schema: {
        tags,
        operationId: 'getCertificateEvents',
        summary: 'Its history; as server-sent events when asked for text/event-stream',
        params: IdPath,
        querystring: StepsQuery,
        response: answers(Type.Array(CertificateEvent)),
      },
    },
    (request, reply) => {
      const { actor, params } = request;
      return answerSteps(request, reply, deps.clock, (after, limit) =>
        certificates.events(actor, params.id, after, limit),
      );
    },
  );
}

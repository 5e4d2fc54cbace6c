import { Readable } from 'node:stream';
import { Type } from 'typebox';
import { AuditEvent, AuditVerdict, PageQuery, words } from '../../contract/index.ts';
import { type Api, answers, lists, other, type RouteDeps } from '../route.ts';

const Filter = {
  actor: Type.Optional(Type.String({ maxLength: 200 })),
  action: Type.Optional(Type.String({ maxLength: 100 })),
  resource: Type.Optional(Type.String({ maxLength: 300 })),
  outcome: Type.Optional(words(['done', 'refused', 'failed'])),
  since: Type.Optional(Type.String({ maxLength: 60, description: 'RFC 3339' })),
  until: Type.Optional(Type.String({ maxLength: 60, description: 'RFC 3339' })),
};

export function auditRoutes(api: Api, { control }: RouteDeps): void {
  const tags = ['audit'];
  api.get(
    '/audit_events',
    {
      schema: {
        tags,
        operationId: 'listAuditEvents',
        summary: 'Lists what was done and refused, newest first',
        querystring: Type.Object({ ...PageQuery, ...Filter }),
        response: lists(AuditEvent),
      },
    },
    (request) => control.audit.list(request.actor, request.query),
  );
  api.get(
    '/audit_events/verify',
    {
      schema: {
        tags,
        operationId: 'verifyAudit',
        summary: 'Computes the chain of seals again',
        response: answers(AuditVerdict),
      },
    },
    async (request) => ({ data: await control.audit.verify(request.actor) }),
  );
  api.get(
    '/audit_events/export',
    {
      schema: {
        tags,
        operationId: 'exportAudit',
        summary: 'Every event, one JSON object a line, newest first',
        querystring: Type.Object(Filter),
        response: other('application/x-ndjson', 'one event a line'),
      },
    },
    async (request, reply) => {
      const batches = control.audit.exportAll(request.actor, request.query);
      // The first batch comes before the answer begins, so a refusal is still a problem document.
      const first = await batches.next();
      async function* lines() {
        if (!first.done) yield first.value;
        yield* batches;
      }
      const text = Readable.from(lines()).map((events: unknown[]) =>
        events.map((event) => `${JSON.stringify(event)}\n`).join(''),
      );
      return reply.type('application/x-ndjson').send(text);
    },
  );
}

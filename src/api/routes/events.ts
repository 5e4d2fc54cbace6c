import { Type } from 'typebox';
import type { Clock } from '../../base/index.ts';
import type { Actor, Control } from '../../control/index.ts';
import { type Api, other, type RouteDeps } from '../route.ts';
import { type StreamEvent, sendStream } from '../stream.ts';

const LOOK_EVERY_MS = 200;
const BATCH = 500;

export function eventRoutes(api: Api, { control, clock }: RouteDeps): void {
  api.get(
    '/events',
    {
      schema: {
        tags: ['system'],
        operationId: 'followChanges',
        summary: 'What changed, as server-sent events: {kind, key}; resumes from Last-Event-ID',
        querystring: Type.Object({ after: Type.Optional(Type.Integer({ minimum: 0 })) }),
        response: other('text/event-stream', 'events named change'),
      },
    },
    async (request, reply) => {
      const given = request.headers['last-event-id'] ?? request.query.after;
      const after = given === undefined ? await control.system.newestChange(request.actor) : Number(given) || 0;
      await sendStream(request, reply, (signal) => followChanges(control, clock, request.actor, after, signal));
      return undefined;
    },
  );
}

async function* followChanges(
  control: Control,
  clock: Clock,
  actor: Actor,
  after: number,
  signal: AbortSignal,
): AsyncGenerator<StreamEvent> {
  for (let seen = after; !signal.aborted; ) {
    const { changes, last } = await control.system.changes(actor, seen, BATCH);
    for (const { seq, kind, key } of changes) yield { id: seq, event: 'change', data: { seq, kind, key } };
    seen = last;
    if (changes.length < BATCH) await clock.sleep(LOOK_EVERY_MS, signal).catch(() => {});
  }
}

import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Static, Type } from 'typebox';
import type { Clock } from '../base/index.ts';
import { followSteps, type Told } from './follow.ts';
import { sendStream, wantsStream } from './stream.ts';

export const StepsQuery = Type.Object({
  after: Type.Integer({ minimum: 0, default: 0, description: 'steps with a greater seq' }),
  limit: Type.Integer({ minimum: 1, maximum: 1000, default: 200 }),
});

/** Steps as a list, or as server-sent events for who accepts text/event-stream. */
export async function answerSteps<Step extends Told>(
  request: FastifyRequest,
  reply: FastifyReply,
  clock: Clock,
  read: (after: number, limit: number) => Promise<Step[]>,
): Promise<{ data: Step[] } | undefined> {
  const query = request.query as Static<typeof StepsQuery>;
  const after = Number(request.headers['last-event-id'] ?? query.after) || 0;
  // Read once before the stream begins, so that a refusal is still a problem document.
  const first = await read(after, query.limit);
  if (!wantsStream(request)) return { data: first };
  await sendStream(request, reply, (signal) => followSteps(read, clock, after, signal));
  return undefined;
}

import { http } from '../../base/index.ts';
import { type Fields, fieldsOf, Head } from '../message/head.ts';
import type { OutgoingAnswer } from './outgoing.ts';

/** An answer of the edge itself, in the shape of an upstream's. */
export interface OwnAnswer {
  readonly status: number;
  readonly body: string;
  readonly fields?: readonly (readonly [string, string])[];
}

export function plainAnswer(status: number, detail: string, fields: OwnAnswer['fields'] = []): OwnAnswer {
  return { status, body: `${status} ${http.STATUS_CODES[status] ?? ''}: ${detail}\n`, fields };
}

export function outgoingAnswer(
  answer: OwnAnswer,
  headOnly: boolean,
  extra?: Fields,
): { outgoing: OutgoingAnswer; body: Buffer } {
  const body = Buffer.from(answer.body);
  const lines = fieldsOf([
    ...(body.length > 0 ? [['content-type', 'text/plain; charset=utf-8'] as const] : []),
    ['content-length', String(body.length)],
    ...(answer.fields ?? []),
  ]);
  const head = new Head(0);
  head.reset(lines.bytes);
  head.offsets = lines.offsets;
  head.count = lines.count;
  head.fieldsEnd = lines.fieldsEnd;
  head.status = answer.status;
  head.contentLength = body.length;
  const empty = headOnly || body.length === 0;
  return { outgoing: { head, drop: 0, extra, body: empty ? 'none' : 'length' }, body };
}

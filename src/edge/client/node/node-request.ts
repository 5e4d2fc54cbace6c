import type { Readable, Writable } from 'node:stream';
import type { ConnectionContext } from '../../forward/connection-context.ts';
import { Exchange } from '../../forward/exchange.ts';
import type { OutgoingAnswer } from '../../forward/outgoing.ts';
import type { ClientSide, UpstreamSide } from '../../forward/sides.ts';
import * as field from '../../message/field-names.ts';
import type { Fields, Head } from '../../message/head.ts';

/** The connection of a request. */
export interface NodeOwner {
  readonly context: ConnectionContext;
  /** Nothing more will be said of the request, whether or not it was answered. */
  over(request: NodeRequest): void;
  slowBody(request: NodeRequest): void;
}

/** One request that Node's own modules have read, as the client's side of an exchange. */
export abstract class NodeRequest implements ClientSide {
  readonly exchange: Exchange;
  readonly owner: NodeOwner;
  protected readonly incoming: Readable;
  protected readonly outgoing: Writable;
  private bodyEnded: boolean;
  private begun = false;
  private touched = false;
  private deadline = 0;

  constructor(owner: NodeOwner, head: Head, incoming: Readable, outgoing: Writable, hasBody: boolean) {
    this.owner = owner;
    this.incoming = incoming;
    this.outgoing = outgoing;
    this.bodyEnded = !hasBody;
    this.exchange = new Exchange(owner.context, head, this, hasBody);
    incoming.on('data', (bytes: Buffer) => {
      this.touched = true;
      this.exchange.requestData(bytes, 0, bytes.length);
    });
    incoming.on('end', () => {
      this.bodyEnded = true;
      this.exchange.requestEnd(this.trailers());
    });
    incoming.on('error', () => {});
    outgoing.on('error', () => {});
    outgoing.on('close', () => this.closed());
  }

  begin(): void {
    this.begun = true;
    this.exchange.start();
  }

  private closed(): void {
    if (this.begun) this.exchange.clientGone();
    this.owner.over(this);
  }

  protected abstract trailers(): Fields | undefined;
  abstract interim(head: Head): void;
  abstract answer(answer: OutgoingAnswer, ended: boolean): void;
  abstract finish(trailers: Fields | undefined): void;
  abstract cut(): void;
  abstract upgrade(answer: OutgoingAnswer, upstream: UpstreamSide): void;

  /** Copied: an upstream's memory is another's at once, and a stream may have to wait. */
  data(bytes: Buffer, start: number, end: number): void {
    if (end > start) this.outgoing.write(Buffer.from(bytes.subarray(start, end)));
  }
  flush(): void {}
  get isFull(): boolean {
    return this.outgoing.writableNeedDrain;
  }
  notifyDrain(): void {
    this.outgoing.once('drain', () => this.exchange.clientDrained());
  }
  pauseBody(): void {
    this.incoming.pause();
  }
  resumeBody(): void {
    this.incoming.resume();
  }

  tick(now: number): void {
    this.exchange.tick(now);
    if (this.bodyEnded || this.exchange.isDone) return;
    if (this.touched || this.incoming.isPaused() || this.deadline === 0) {
      this.touched = false;
      this.deadline = now + this.owner.context.core.settings.limits.bodyMs;
    } else if (now >= this.deadline) this.owner.slowBody(this);
  }
}

/** Names and values of an answer in turn, as Node takes them. */
export function rawFields({ head, drop, extra }: OutgoingAnswer): string[] {
  return [...kept(head, drop), ...(extra === undefined ? [] : kept(extra, 0))];
}

export const interimFields = (head: Head): string[] => kept(head, field.INTERIM_DROP);

/** RFC 9110 §6.5.1: only what means nothing to a proxy may be a trailer. */
export const rawTrailers = (trailers: Fields | undefined): string[] =>
  trailers === undefined ? [] : kept(trailers, ~(1 << field.OTHER));

function kept(fields: Fields, drop: number): string[] {
  const raw: string[] = [];
  for (let index = 0; index < fields.count; index++)
    if ((drop & (1 << fields.id(index))) === 0) raw.push(fields.name(index), fields.value(index));
  return raw;
}

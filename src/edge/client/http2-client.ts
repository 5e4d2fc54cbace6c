import type { ConnectionContext } from '../forward/connection-context.ts';
import { CANCEL, ENHANCE_YOUR_CALM, NO_ERROR } from '../http2/frames.ts';
import { Session, type SessionOwner } from '../http2/session.ts';
import type { Stream } from '../http2/stream.ts';
import type { Head } from '../message/head.ts';
import { returnBlock } from '../wire/blocks.ts';
import { atTurnEnd, type Gathering } from '../wire/turn.ts';
import { Wire, type WireHandler } from '../wire/wire.ts';
import type { WireSocket } from '../wire/wire-socket.ts';
import type { ClientConnection, ClientOwner } from './connection.ts';
import { Http2Stream } from './http2-stream.ts';

/** What one connection may make us hold of bodies that an upstream does not take. */
const CONNECTION_WINDOW = 1024 * 1024;
const STREAM_WINDOW = 256 * 1024;
/** A client that asks and does not read: control frames alone do not reach this. */
const MOST_BACKLOG = 4 * 1024 * 1024;
const LINGER_MS = 2_000;

/** An HTTP/2 connection of a client. */
export class Http2Client implements ClientConnection, WireHandler, SessionOwner, Gathering {
  readonly context: ConnectionContext;
  readonly openedAt: number;
  readonly protocol = 'HTTP/2.0';
  requests = 0;
  private readonly owner: ClientOwner;
  private readonly wire: Wire;
  private readonly session: Session;
  private readonly streams = new Map<Stream, Http2Stream>();
  private draining = false;
  private failed = false;
  private deadline: number;

  constructor(owner: ClientOwner, context: ConnectionContext, socket: WireSocket) {
    this.owner = owner;
    this.context = context;
    const { limits } = context.core.settings;
    this.openedAt = context.core.clock.now();
    this.deadline = this.openedAt + limits.headMs;
    this.session = new Session(
      {
        role: 'server',
        streams: limits.http2.streams,
        streamWindow: STREAM_WINDOW,
        connectionWindow: CONNECTION_WINDOW,
        headBytes: limits.headBytes,
        headerCount: limits.headerCount,
        abuse: limits.http2,
      },
      this,
    );
    this.wire = new Wire(socket, this);
  }

  get active(): number {
    return this.streams.size;
  }

  start(): void {
    this.session.start();
    this.wire.start();
  }

  // From the wire.

  received(bytes: Buffer, start: number, end: number): void {
    if (this.failed) return;
    const code = this.session.receive(bytes, start, end);
    if (code !== 0) this.fail(code);
  }

  private fail(code: number): void {
    const { core, info } = this.context;
    this.failed = true;
    core.observer.refused?.(code === ENHANCE_YOUR_CALM ? 'http2_flood' : 'malformed', info.remoteAddress);
    core.log.debug({ client: info.remoteAddress, code }, 'ended an HTTP/2 connection');
    for (const stream of this.streams.values()) stream.exchange.clientGone('the connection broke the protocol');
    this.flushTurn();
    this.finish();
  }

  /** Everything is said; what still comes is read and passed over, so that the last frames arrive. */
  private finish(): void {
    this.deadline = this.context.core.clock.now() + LINGER_MS;
    this.wire.end();
  }

  ended(): void {
    for (const stream of this.streams.values()) stream.exchange.clientGone();
    this.wire.destroy();
  }
  drained(): void {
    this.session.sender.wireBacklog = this.wire.backlog;
    this.session.sender.pump();
  }
  closed(): void {
    for (const stream of this.streams.values()) stream.exchange.clientGone();
    this.streams.clear();
    this.owner.closed(this);
  }

  // From the session.

  request(stream: Stream, head: Head, _ended: boolean, tooLarge: boolean): void {
    this.requests++;
    const request = new Http2Stream(this, this.session, stream, head);
    this.streams.set(stream, request);
    request.start(tooLarge);
    if (this.requests >= this.context.core.settings.limits.requestsPerConnection) this.drain();
  }
  streamClosed(stream: Stream): void {
    const request = this.streams.get(stream);
    if (request === undefined) return;
    this.streams.delete(stream);
    request.closed();
    if (this.streams.size > 0) return;
    this.deadline = this.context.core.clock.now() + this.context.core.settings.limits.idleMs;
    if (this.draining) atTurnEnd(this);
  }
  goaway(): void {
    this.draining = true;
  }
  settings(): void {}
  wantsFlush(): void {
    atTurnEnd(this);
  }

  flushTurn(): void {
    const { sender } = this.session;
    const block = sender.take();
    if (block !== undefined) {
      const length = sender.used;
      sender.used = 0;
      this.wire.write(block, 0, length);
      returnBlock(block);
      sender.wireBacklog = this.wire.backlog;
      if (this.wire.backlog > 0) this.wire.wantsDrain = true;
      if (this.wire.backlog > MOST_BACKLOG) this.wire.destroy();
    }
    if (this.draining && !this.failed && this.streams.size === 0) {
      this.failed = true;
      this.finish();
    }
  }

  // From the plane.

  slowBody(stream: Http2Stream): void {
    const { core, info } = this.context;
    core.observer.refused?.('slow_body', info.remoteAddress);
    stream.exchange.clientGone('the body came too slowly');
    this.session.reset(stream.stream, CANCEL);
  }

  drain(): void {
    if (this.draining) return;
    this.draining = true;
    this.session.fail(NO_ERROR);
    atTurnEnd(this);
  }

  destroy(): void {
    this.wire.destroy();
  }

  tick(now: number): void {
    this.session.abuse.tick(now);
    for (const stream of this.streams.values()) stream.tick(now);
    if (this.streams.size > 0 || now < this.deadline) return;
    if (this.failed) this.wire.destroy();
    else this.drain();
  }
}

import { createServer, type IncomingMessage, type Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { ConnectionContext } from '../../forward/connection-context.ts';
import { outgoingAnswer, plainAnswer } from '../../forward/own-answer.ts';
import { HEAD_TOO_LARGE, METHOD_REFUSED, malformation, TOO_MANY_FIELDS } from '../../message/malformed.ts';
import type { RefusalReason } from '../../plane/types.ts';
import { type ClientConnection, type ClientOwner, FIRST_REQUEST_MS } from '../connection.ts';
import { headOfRequest } from './node-head.ts';
import { NodeHttp1Request } from './node-http1-request.ts';
import type { NodeOwner, NodeRequest } from './node-request.ts';

/** Requests that were sent before the answer to the first of them. */
const MOST_PIPELINED = 128;

const NOTHING = Buffer.alloc(0);

interface Refusal {
  readonly status: number;
  readonly detail: string;
}

/** An HTTP/1.1 connection of a client that Node's http module reads: llhttp parses, the exchange decides. */
export class NodeHttp1Client implements ClientConnection, NodeOwner {
  readonly context: ConnectionContext;
  readonly openedAt: number;
  requests = 0;
  private readonly socket: Socket;
  private readonly open = new Set<NodeHttp1Request>();
  private refusal: Refusal | undefined;
  private server: Server | undefined;
  private isClosing = false;
  private isUpgraded = false;
  /** Octets that were here when the last request was over: more of them are the beginning of another. */
  private seen = 0;
  private headBegun = false;
  private deadline: number;

  constructor(owner: ClientOwner, context: ConnectionContext, socket: Socket) {
    this.context = context;
    this.socket = socket;
    this.openedAt = context.core.clock.now();
    this.deadline = this.openedAt + this.limits.headMs;
    socket.on('close', () => owner.closed(this));
  }

  private get limits() {
    return this.context.core.settings.limits;
  }
  get protocol() {
    return this.isUpgraded ? ('upgraded' as const) : ('HTTP/1.1' as const);
  }
  get active(): number {
    return this.open.size;
  }

  /** A server of its own, which never listens: its limits are those of this moment, and its times are ours. */
  start(): void {
    const server = createServer({
      maxHeaderSize: this.limits.headBytes,
      requireHostHeader: false,
      insecureHTTPParser: false,
      keepAliveTimeout: 0,
      headersTimeout: 0,
      requestTimeout: 0,
    });
    // Node would leave out the fields beyond; `headOfRequest` counts them.
    server.maxHeadersCount = 0;
    const read = (request: IncomingMessage, response: ServerResponse) => this.request(request, response);
    for (const event of ['request', 'checkContinue', 'checkExpectation']) server.on(event, read);
    server.on('connect', () => this.refuse(malformation(METHOD_REFUSED), 'malformed'));
    server.on('upgrade', (request, _, first: Buffer) => this.upgradeAsked(request, first));
    server.on('clientError', (error: NodeJS.ErrnoException) => this.unreadable(error));
    this.server = server;
    this.read(NOTHING);
  }

  /** Has Node read this, and then the socket: at the start, and again after a request to upgrade that led nowhere. */
  private read(first: Buffer): void {
    if (first.length > 0) this.socket.unshift(first);
    this.server?.emit('connection', this.socket);
  }

  /** Node lets go of the socket before anyone could know whether the request can be followed, or the upstream agrees. */
  private upgradeAsked(request: IncomingMessage, first: Buffer): void {
    const { 'content-length': length = '0', 'transfer-encoding': coding } = request.headers;
    if (this.open.size > 0 || length !== '0' || coding !== undefined) {
      const detail = 'with protocol_engine: node a request to upgrade has no body and waits for no other';
      this.refuse({ status: 400, detail }, 'malformed');
      return;
    }
    const response = new ServerResponse(request);
    const { socket } = this;
    response.assignSocket(socket);
    response.once('finish', () => {
      response.detachSocket(socket);
      for (const asked of this.open) this.over(asked);
      if (this.isClosing) socket.end();
      else this.read(first);
    });
    this.request(request, response, first);
  }

  private request(request: IncomingMessage, response: ServerResponse, upgrading?: Buffer): void {
    // What follows a request that could not be understood is nobody's.
    if (this.isClosing) return;
    this.requests++;
    const head = headOfRequest(request, this.limits);
    if (typeof head === 'number') {
      const reason = head === HEAD_TOO_LARGE || head === TOO_MANY_FIELDS ? 'head_too_large' : 'malformed';
      this.refuse(malformation(head), reason);
      return;
    }
    const exchange = new NodeHttp1Request(this, head, request, response, upgrading);
    if (this.open.size > MOST_PIPELINED) this.refuse({ status: 400, detail: 'too many requests wait' }, 'malformed');
    else this.begin(exchange);
  }

  /** One after another, as answers have to be; Node reads on meanwhile. */
  private begin(request: NodeHttp1Request): void {
    this.open.add(request);
    if (this.open.size === 1) request.begin();
  }

  /** Whether another request may follow. */
  get keepsAlive(): boolean {
    return !this.isClosing && !this.context.core.draining && this.requests < this.limits.requestsPerConnection;
  }

  over(request: NodeRequest): void {
    this.open.delete(request as NodeHttp1Request);
    const [next] = this.open;
    if (next !== undefined) {
      next.begin();
      return;
    }
    this.seen = this.socket.bytesRead;
    this.headBegun = false;
    this.deadline = this.context.core.clock.now() + this.limits.idleMs;
    this.sayRefusal();
  }

  /** The answer to this one says that the connection ends with it. */
  last(request: NodeHttp1Request): void {
    this.isClosing = true;
    for (const other of this.open) if (other !== request) this.open.delete(other);
  }

  upgraded(): void {
    this.isUpgraded = true;
  }

  // What could not be read.

  private unreadable(error: NodeJS.ErrnoException): void {
    if (error.code === 'ECONNRESET' || error.code === 'EPIPE') {
      this.socket.destroy();
      return;
    }
    const tooLarge = error.code === 'HPE_HEADER_OVERFLOW';
    const refusal = tooLarge ? malformation(HEAD_TOO_LARGE) : { status: 400, detail: 'the request is malformed' };
    this.refuse(refusal, tooLarge ? 'head_too_large' : 'malformed');
  }

  private refuse(refusal: Refusal, reason: RefusalReason): void {
    if (this.isClosing) return;
    const { core, info } = this.context;
    core.observer.refused?.(reason, info.remoteAddress);
    core.log.debug({ client: info.remoteAddress, ...refusal }, 'refused a request');
    this.isClosing = true;
    this.refusal = refusal;
    for (const request of this.open) if (!request.isWhole) this.giveUp(request, refusal.detail);
    if (this.open.size === 0) this.sayRefusal();
  }

  private giveUp(request: NodeHttp1Request, detail: string): void {
    const begun = request.isAnswered;
    this.open.delete(request);
    request.exchange.clientGone(detail);
    if (begun) this.socket.destroy();
  }

  /** In its turn: after the answers to what was understood. */
  private sayRefusal(): void {
    const { refusal, socket } = this;
    if (refusal === undefined || socket.destroyed) return;
    this.refusal = undefined;
    const { outgoing, body } = outgoingAnswer(plainAnswer(refusal.status, refusal.detail), false);
    const head = `HTTP/1.1 ${body.toString().split(':')[0]}\r\n${outgoing.head.bytes}connection: close\r\n\r\n`;
    socket.end(Buffer.concat([Buffer.from(head, 'latin1'), body]), () => socket.destroySoon());
  }

  slowBody(): void {
    this.refuse({ status: 408, detail: 'the body came too slowly' }, 'slow_body');
  }

  // From the plane.

  tick(now: number): void {
    for (const request of this.open) request.tick(now);
    if (this.isUpgraded || this.open.size > 0) return;
    if (!this.headBegun && this.socket.bytesRead !== this.seen) {
      this.headBegun = true;
      if (this.requests > 0) this.deadline = now + this.limits.headMs;
    }
    if (now < this.deadline) return;
    if (this.headBegun && !this.isClosing)
      this.refuse({ status: 408, detail: 'the head came too slowly' }, 'slow_head');
    else this.socket.destroy();
  }

  drain(): void {
    if (this.open.size > 0 || this.headBegun) return;
    if (this.requests === 0) this.deadline = Math.min(this.deadline, this.context.core.clock.now() + FIRST_REQUEST_MS);
    else this.socket.end();
  }

  destroy(): void {
    this.socket.destroy();
  }
}

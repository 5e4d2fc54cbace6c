import {
  constants,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  performServerHandshake,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  type ServerStreamResponseOptions,
} from 'node:http2';
import type { Socket } from 'node:net';
import type { ConnectionContext } from '../../forward/connection-context.ts';
import type { OutgoingAnswer } from '../../forward/outgoing.ts';
import { outgoingAnswer, plainAnswer } from '../../forward/own-answer.ts';
import type { Fields, Head } from '../../message/head.ts';
import type { ClientConnection, ClientOwner } from '../connection.ts';
import { headOfStream, trailersOf } from './node-head.ts';
import { interimFields, type NodeOwner, NodeRequest, rawFields, rawTrailers } from './node-request.ts';

const STREAM_WINDOW = 256 * 1024;
const RESET_WINDOW_SECONDS = 10;
/** The date is the upstream's to say; Node knows the option, and its types do not. */
const ANSWER: ServerStreamResponseOptions & { readonly sendDate: boolean } = { sendDate: false };
const { NGHTTP2_CANCEL, NGHTTP2_FLAG_END_STREAM, NGHTTP2_INTERNAL_ERROR, NGHTTP2_PROTOCOL_ERROR } = constants;

/** An HTTP/2 connection of a client that Node's http2 module reads: nghttp2 parses, the exchange decides. */
export class NodeHttp2Client implements ClientConnection, NodeOwner {
  readonly context: ConnectionContext;
  readonly openedAt: number;
  readonly protocol = 'HTTP/2.0';
  requests = 0;
  private readonly socket: Socket;
  private readonly open = new Set<NodeHttp2Request>();
  private session: ServerHttp2Session | undefined;
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
  get active(): number {
    return this.open.size;
  }

  start(): void {
    const { http2, headBytes, headerCount } = this.limits;
    this.session = performServerHandshake(this.socket, {
      // Node resets a stream above these two without an answer; `headOfStream` counts as we do, and answers.
      settings: {
        maxConcurrentStreams: http2.streams,
        maxHeaderListSize: 2 * headBytes,
        initialWindowSize: STREAM_WINDOW,
      },
      maxHeaderListPairs: 2 * headerCount,
      streamResetBurst: http2.resets,
      streamResetRate: Math.max(1, Math.round(http2.resets / RESET_WINDOW_SECONDS)),
      strictSingleValueFields: false,
    });
    this.session.on('error', () => {});
    this.session.on('goaway', () => {});
    this.session.on('stream', (stream, _, flags, raw) =>
      this.request(stream, raw as unknown as string[], (flags & NGHTTP2_FLAG_END_STREAM) === 0),
    );
  }

  private request(stream: ServerHttp2Stream, raw: readonly string[], hasBody: boolean): void {
    const { core, info } = this.context;
    this.requests++;
    stream.on('error', () => {});
    const head = headOfStream(raw, this.limits);
    if (typeof head === 'string') {
      core.observer.refused?.(head === 'malformed' ? 'malformed' : 'head_too_large', info.remoteAddress);
      if (head === 'malformed') stream.close(NGHTTP2_PROTOCOL_ERROR);
      else answerTooLarge(stream);
      return;
    }
    const request = new NodeHttp2Request(this, head, stream, hasBody);
    this.open.add(request);
    request.begin();
    if (this.requests >= this.limits.requestsPerConnection) this.drain();
  }

  over(request: NodeRequest): void {
    this.open.delete(request as NodeHttp2Request);
    if (this.open.size === 0) this.deadline = this.context.core.clock.now() + this.limits.idleMs;
  }

  slowBody(request: NodeRequest): void {
    const { core, info } = this.context;
    core.observer.refused?.('slow_body', info.remoteAddress);
    request.exchange.clientGone('the body came too slowly');
    (request as NodeHttp2Request).reset(NGHTTP2_CANCEL);
  }

  tick(now: number): void {
    for (const request of this.open) request.tick(now);
    if (this.open.size > 0 || now < this.deadline) return;
    if (this.session?.closed === false) this.drain();
    else this.destroy();
  }

  drain(): void {
    this.session?.close();
  }
  destroy(): void {
    this.session?.destroy();
    this.socket.destroy();
  }
}

function answerTooLarge(stream: ServerHttp2Stream): void {
  const { outgoing, body } = outgoingAnswer(plainAnswer(431, 'the head is too large'), false);
  stream.respond(headersOf(431, rawFields(outgoing)), ANSWER);
  stream.end(body);
}

/** One request of an HTTP/2 connection, on a stream of Node's. */
export class NodeHttp2Request extends NodeRequest {
  private readonly stream: ServerHttp2Stream;
  private received: Fields | undefined;
  private sent: string[] = [];

  constructor(owner: NodeOwner, head: Head, stream: ServerHttp2Stream, hasBody: boolean) {
    super(owner, head, stream, stream, hasBody);
    this.stream = stream;
    stream.on('trailers', (_: IncomingHttpHeaders, _flags: number, raw?: readonly string[]) => {
      this.received = trailersOf(raw ?? []);
    });
    stream.on('wantTrailers', () => stream.sendTrailers(headersOf(undefined, this.sent)));
  }

  protected trailers(): Fields | undefined {
    return this.received;
  }

  interim(head: Head): void {
    if (!this.stream.headersSent && !this.stream.destroyed)
      this.stream.additionalHeaders(headersOf(head.status, interimFields(head)));
  }

  answer(answer: OutgoingAnswer, ended: boolean): void {
    if (this.stream.destroyed || this.stream.closed) return;
    const options = { ...ANSWER, endStream: ended, waitForTrailers: !ended };
    this.stream.respond(headersOf(answer.head.status, rawFields(answer)), options);
  }

  finish(trailers: Fields | undefined): void {
    this.sent = rawTrailers(trailers);
    this.stream.end();
  }

  reset(code: number): void {
    this.stream.close(code);
  }
  cut(): void {
    this.reset(NGHTTP2_INTERNAL_ERROR);
  }
  upgrade(): void {
    this.cut();
  }
}

/** Fields that come more than once become a list. */
function headersOf(status: number | undefined, raw: readonly string[]): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = status === undefined ? {} : { ':status': status };
  for (let index = 0; index < raw.length; index += 2) {
    const name = raw[index]!.toLowerCase();
    const before = headers[name];
    const value = raw[index + 1]!;
    headers[name] = before === undefined ? value : [...(Array.isArray(before) ? before : [String(before)]), value];
  }
  return headers;
}

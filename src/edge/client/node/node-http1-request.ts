import type { IncomingMessage, ServerResponse } from 'node:http';
import type { OutgoingAnswer } from '../../forward/outgoing.ts';
import type { UpstreamSide } from '../../forward/sides.ts';
import { Tunnel } from '../../forward/tunnel.ts';
import { answerHeadRoom, writeInterimHead, writeUpgradeHead } from '../../http1/write-head.ts';
import type { Fields, Head } from '../../message/head.ts';
import { Wire } from '../../wire/wire.ts';
import { trailersOf } from './node-head.ts';
import type { NodeHttp1Client } from './node-http1-client.ts';
import { NodeRequest, rawFields, rawTrailers } from './node-request.ts';

/** One request of an HTTP/1.1 connection, answered by Node's ServerResponse. */
export class NodeHttp1Request extends NodeRequest {
  declare readonly owner: NodeHttp1Client;
  private readonly request: IncomingMessage;
  private readonly response: ServerResponse;
  /** What came after the head of a request that wants another protocol. */
  private readonly upgrading: Buffer | undefined;
  private readonly hasBody: boolean;
  private chunks = false;
  private headWaits = false;
  private tunnel: Tunnel | undefined;

  constructor(
    owner: NodeHttp1Client,
    head: Head,
    request: IncomingMessage,
    response: ServerResponse,
    upgrading: Buffer | undefined,
  ) {
    const hasBody = head.chunked || head.contentLength > 0;
    super(owner, head, request, response, hasBody);
    this.hasBody = hasBody;
    this.request = request;
    this.response = response;
    this.upgrading = upgrading;
    response.sendDate = false;
  }

  get isWhole(): boolean {
    // Node says so only after it has shown us the head.
    return !this.hasBody || this.request.complete;
  }
  get isAnswered(): boolean {
    return this.response.headersSent;
  }
  protected trailers(): Fields | undefined {
    return trailersOf(this.request.rawTrailers);
  }

  interim(head: Head): void {
    const { response } = this;
    if (this.exchange.head.version === 0) return;
    // Node keeps a connection only when it knows of the 100 that it was asked for.
    if (head.status === 100) {
      response.writeContinue();
      return;
    }
    const room = Buffer.allocUnsafe(head.fieldsEnd + 256);
    response.socket?.write(room.subarray(0, writeInterimHead(room, 0, head)));
  }

  answer(answer: OutgoingAnswer, ended: boolean): void {
    const { response } = this;
    const fields = rawFields(answer);
    this.chunks = answer.body === 'stream' && this.exchange.head.version === 1;
    if (this.chunks) fields.push('transfer-encoding', 'chunked');
    if (answer.body === 'empty') fields.push('content-length', '0');
    // A body that nobody reads to its end would be read as the next request.
    if (!response.shouldKeepAlive || !this.owner.keepsAlive || !this.isWhole) {
      fields.push('connection', 'close');
      this.owner.last(this);
    }
    response.writeHead(answer.head.status, fields);
    this.headWaits = !ended;
    if (ended) response.end();
  }

  override data(bytes: Buffer, start: number, end: number): void {
    if (end > start) this.headWaits = false;
    super.data(bytes, start, end);
  }

  /** A head without a body yet leaves as it is: an event stream's first event may be far away. */
  override flush(): void {
    if (!this.headWaits) return;
    this.headWaits = false;
    this.response.flushHeaders();
  }

  finish(trailers: Fields | undefined): void {
    this.headWaits = false;
    const raw = this.chunks ? rawTrailers(trailers) : [];
    for (let index = 0; index < raw.length; index += 2) this.response.addTrailers([[raw[index]!, raw[index + 1]!]]);
    this.response.end();
  }

  cut(): void {
    this.owner.destroy();
  }

  upgrade(answer: OutgoingAnswer, upstream: UpstreamSide): void {
    const { response, upgrading, owner, exchange } = this;
    const { socket } = response;
    const to = upstream.detach?.();
    if (to === undefined || upgrading === undefined || socket === null) {
      this.cut();
      return;
    }
    response.detachSocket(socket);
    owner.upgraded();
    const room = Buffer.allocUnsafe(answerHeadRoom(answer) + 64);
    const wire = new Wire(socket, { received() {}, ended() {}, drained() {}, closed() {} });
    wire.write(room, 0, writeUpgradeHead(room, 0, answer));
    this.tunnel = new Tunnel(wire, to, exchange, () => owner.over(this));
    wire.deliver(upgrading, 0, upgrading.length);
    wire.start();
  }

  override tick(now: number): void {
    if (this.tunnel === undefined) super.tick(now);
    else this.tunnel.tick(now, this.exchange.tunnelIdleMs);
  }
}

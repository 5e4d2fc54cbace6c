import type { Fields, Head } from '../message/head.ts';
import type { RefusalReason } from '../plane/types.ts';
import type { Member } from '../upstream/group.ts';
import type { ConnectionContext } from './connection-context.ts';
import { decide } from './decide.ts';
import { type OwnAnswer, outgoingAnswer, plainAnswer } from './own-answer.ts';
import { planAnswer, planRequest } from './plan-request.ts';
import { createRecord } from './record.ts';
import type { Service } from './service.ts';
import type { ClientSide, UpstreamFailure, UpstreamSide } from './sides.ts';

const HEAD = Buffer.from('HEAD');
// RFC 9110 §9.2.2, less TRACE, which is refused.
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);
const MOST_HELD = 64 * 1024;
const MOST_TRIES = 3;

const WAITING = 0;
const SENT = 1;
const ANSWERING = 2;
const TUNNEL = 3;
const DONE = 4;

/**
 * One request and its answer, between a client and an upstream of whatever protocol: where it goes, what is retried,
 * who is slowed down, and how it ends. Knows no octet of any protocol.
 */
export class Exchange {
  readonly context: ConnectionContext;
  readonly head: Head;
  readonly client: ClientSide;
  readonly startedAt: number;
  readonly started: number;
  requestId = '';
  service: Service | undefined;
  member: Member | undefined;
  side: UpstreamSide | undefined;
  status = 0;
  requestBytes = 0;
  responseBytes = 0;
  problem: string | undefined;
  /** When the present wait is over, in ms of the clock; 0 is never. Looked at by the connection's tick. */
  deadline = 0;
  private state = WAITING;
  private tries = 0;
  private readonly hasBody: boolean;
  readonly headOnly: boolean;
  private bodyEnded: boolean;
  private trailers: Fields | undefined;
  private held: Buffer[] = [];
  private heldBytes = 0;
  private inGate = false;
  /** Something came since the last tick, which is fine enough for an idle time. */
  private idleTouched = false;
  private leaveQueue: (() => void) | undefined;

  constructor(context: ConnectionContext, head: Head, client: ClientSide, hasBody: boolean) {
    this.context = context;
    this.head = head;
    this.client = client;
    this.hasBody = hasBody;
    this.bodyEnded = !hasBody;
    this.headOnly = head.isMethod(HEAD);
    this.startedAt = context.core.clock.now();
    this.started = context.core.elapsed();
  }

  get isDone(): boolean {
    return this.state === DONE;
  }

  start(): void {
    const { context, head } = this;
    const { core } = context;
    if (!core.takeRequest(context.fields.clientAddress(head))) {
      const answer = plainAnswer(429, 'too many requests', [['retry-after', String(core.retryAfter())]]);
      this.answerOurselves(answer, 'requests_per_address');
      return;
    }
    const decision = decide(context, head);
    this.service = decision.service;
    if (decision.kind === 'answer') {
      this.answerOurselves(decision.answer, decision.refusal);
      return;
    }
    const { gate } = decision.service;
    if (gate === undefined) this.connect();
    else this.passGate(decision.service);
  }

  private passGate(service: Service): void {
    this.deadline = this.startedAt + service.waitMs;
    this.leaveQueue = service.gate!.enter(
      () => {
        this.leaveQueue = undefined;
        this.inGate = true;
        this.connect();
      },
      () => this.answerOurselves(plainAnswer(503, 'too many requests at once', [['retry-after', '1']]), 'concurrency'),
    );
  }

  private connect(): void {
    const { group } = this.service!;
    const member = group.choose(this.member, this.tries);
    if (member === undefined) {
      this.answerOurselves(plainAnswer(503, 'the site has no upstream'), undefined);
      return;
    }
    this.member = member;
    member.active++;
    this.tries++;
    this.deadline = 0;
    member.pool.acquire(this, this.mayRepeat());
  }

  /** A request that may safely be sent twice, of which we still have everything. */
  private mayRepeat(): boolean {
    return !this.hasBody && IDEMPOTENT.has(this.head.method());
  }

  /** The pool has a connection. */
  connected(side: UpstreamSide): void {
    if (this.state !== WAITING) {
      side.cancel();
      return;
    }
    const service = this.service!;
    const { context, head } = this;
    this.requestId ||= requestIdOf(context, head);
    const authority = this.member!.target.authority;
    const request = planRequest(context, head, service, this.hasBody, this.requestId, authority);
    if (request === undefined) {
      side.cancel();
      this.answerOurselves(plainAnswer(400, 'Connection names a field that must stay'), 'malformed');
      return;
    }
    this.side = side;
    this.state = SENT;
    side.send(request, this);
    this.sendHeld();
  }

  private sendHeld(): void {
    const { side, held } = this;
    if (held.length > 0) {
      this.held = [];
      this.heldBytes = 0;
      for (const bytes of held) side?.data(bytes, 0, bytes.length);
      this.client.resumeBody();
    }
    if (this.bodyEnded) this.requestSent();
  }

  private requestSent(): void {
    if (this.hasBody) this.side?.finish(this.trailers);
    if (this.state === SENT) this.deadline = this.startedWaiting(this.timeouts.requestMs);
  }

  private startedWaiting(ms: number): number {
    return this.context.core.clock.now() + ms;
  }

  private get timeouts(): { readonly requestMs: number; readonly idleMs: number } {
    const { upstream } = this.context.core.settings.limits;
    const own = this.service?.route.timeouts;
    return { requestMs: own?.requestMs ?? upstream.requestMs, idleMs: own?.idleMs ?? upstream.idleMs };
  }

  get tunnelIdleMs(): number {
    return this.timeouts.idleMs;
  }

  // What the client sends.

  /** Octets of the request's body; what has to wait for an upstream is copied. */
  requestData(bytes: Buffer, start: number, end: number): void {
    this.requestBytes += end - start;
    if (this.state === DONE) return;
    const most = this.service?.route.limits?.bodyBytes ?? this.context.core.settings.limits.bodyBytes;
    if (this.requestBytes > most) {
      this.fail(plainAnswer(413, 'the body is too large'), 'body_too_large');
      return;
    }
    const { side } = this;
    if (side !== undefined) {
      side.data(bytes, start, end);
      if (side.isFull) {
        this.client.pauseBody();
        side.notifyDrain();
      }
      return;
    }
    this.held.push(Buffer.from(bytes.subarray(start, end)));
    this.heldBytes += end - start;
    if (this.heldBytes > MOST_HELD) this.client.pauseBody();
  }

  requestEnd(trailers: Fields | undefined): void {
    if (this.bodyEnded) return;
    this.bodyEnded = true;
    this.trailers = trailers;
    if (this.side !== undefined && this.state !== DONE) this.requestSent();
  }

  /** The client has taken what it was sent. */
  clientDrained(): void {
    this.side?.resume();
  }

  /** The client is gone, or no longer wants the answer. */
  clientGone(detail = 'the client left'): void {
    if (this.state === DONE) return;
    this.problem ??= detail;
    this.side?.cancel();
    this.done();
  }

  // What the upstream sends.

  upstreamDrained(): void {
    if (this.state !== DONE) this.client.resumeBody();
  }

  answerHead(head: Head, ended: boolean): void {
    if (head.status < 200) {
      this.interim(head);
      return;
    }
    const service = this.service!;
    const secure = this.context.info.secure;
    const outgoing = planAnswer(head, service, this.headOnly, ended, secure);
    if (outgoing === undefined) {
      this.side?.cancel();
      this.fail(plainAnswer(502, 'the upstream sent a malformed answer'), undefined, 'Connection is malformed');
      return;
    }
    this.status = head.status;
    this.state = ANSWERING;
    this.deadline = this.startedWaiting(this.timeouts.idleMs);
    service.group.answered(this.member!, head.status);
    // Done first: the client's side is over, and may be another's, once it has the end.
    if (ended) this.done();
    this.client.answer(outgoing, ended);
  }

  private interim(head: Head): void {
    if (head.status !== 101) {
      this.client.interim(head);
      return;
    }
    const outgoing = planAnswer(head, this.service!, false, false, this.context.info.secure);
    this.status = 101;
    this.state = TUNNEL;
    this.deadline = 0;
    if (outgoing !== undefined) this.client.upgrade({ ...outgoing, body: 'none' }, this.side!);
  }

  answerData(bytes: Buffer, start: number, end: number): void {
    if (this.state !== ANSWERING) return;
    this.responseBytes += end - start;
    this.client.data(bytes, start, end);
    this.idleTouched = true;
  }

  answerEnd(trailers: Fields | undefined): void {
    if (this.state !== ANSWERING) return;
    this.done();
    this.client.finish(trailers);
  }

  /** Everything that came together has been given: it is written, and more is read once the client can take it. */
  flush(): void {
    this.client.flush();
    if (this.state !== ANSWERING || !this.client.isFull) return;
    this.side?.pause();
    this.client.notifyDrain();
  }

  /** No connection, or it ended before the answer did. */
  upstreamFailed(failure: UpstreamFailure): void {
    if (this.state === DONE) return;
    this.side = undefined;
    this.problem = failure.detail;
    const { group } = this.service!;
    if (!failure.stale) group.failed(this.member!, failure.detail);
    if (this.state === ANSWERING) {
      this.client.cut();
      this.done();
      return;
    }
    const again = failure.unsent || (failure.stale && this.mayRepeat());
    if (again && this.tries < MOST_TRIES && (failure.stale || group.hasOthers(this.member!))) {
      this.member!.active--;
      this.state = WAITING;
      this.connect();
      return;
    }
    const [status, detail] = failure.timeout
      ? [504, 'the upstream did not answer in time']
      : [502, 'the upstream cannot be reached'];
    this.fail(plainAnswer(status as number, detail as string), undefined, failure.detail);
  }

  /** The time that was set is over. */
  tick(now: number): void {
    if (this.deadline === 0 || now < this.deadline || this.state === DONE) return;
    if (this.state === ANSWERING && this.idleTouched) {
      this.idleTouched = false;
      this.deadline = now + this.timeouts.idleMs;
      return;
    }
    const { side } = this;
    if (this.state === WAITING) {
      this.fail(plainAnswer(503, 'too many requests at once', [['retry-after', '1']]), 'concurrency');
      return;
    }
    this.side = undefined;
    side?.cancel();
    const detail =
      this.state === ANSWERING ? 'the upstream stopped in its answer' : 'the upstream did not answer in time';
    this.upstreamFailed({ detail, unsent: false, stale: false, timeout: true });
  }

  /** An answer of ours instead of the upstream's, or the end when that has begun. */
  private fail(answer: OwnAnswer, refusal: RefusalReason | undefined, problem?: string): void {
    this.side?.cancel();
    this.side = undefined;
    this.problem ??= problem;
    if (this.state === ANSWERING || this.state === TUNNEL) {
      this.client.cut();
      this.done();
    } else this.answerOurselves(answer, refusal);
  }

  private answerOurselves(answer: OwnAnswer, refusal: RefusalReason | undefined): void {
    const { core, fields, info } = this.context;
    if (refusal !== undefined) core.observer.refused?.(refusal, fields.clientAddress(this.head));
    if (answer.status >= 400) this.problem ??= answer.body.trimEnd();
    // A site's own fields, such as HSTS, are on its redirects and failures too (RFC 6797 §7.2).
    const extra = info.secure ? this.service?.responseExtra : this.service?.responseExtraPlain;
    const { outgoing, body } = outgoingAnswer(answer, this.headOnly, extra);
    this.status = answer.status;
    const ended = outgoing.body === 'none';
    if (!ended) this.responseBytes += body.length;
    this.done();
    this.client.answer(outgoing, ended);
    if (!ended) {
      this.client.data(body, 0, body.length);
      this.client.finish(undefined);
    }
    this.client.flush();
  }

  /** A tunnel that this request became has ended. */
  tunnelEnded(sent: number, received: number): void {
    this.requestBytes += sent;
    this.responseBytes += received;
    this.done();
  }

  private done(): void {
    if (this.state === DONE) return;
    this.state = DONE;
    this.deadline = 0;
    this.held = [];
    this.leaveQueue?.();
    if (this.member !== undefined) this.member.active--;
    if (this.inGate) this.service?.gate?.leave();
    const { observer } = this.context.core;
    observer.request?.(createRecord(this));
  }
}

function requestIdOf(context: ConnectionContext, head: Head): string {
  const { core, info } = context;
  const given = core.trusted(info.remoteAddress) ? head.valueOfName(core.settings.requestIdHeader) : '';
  return /^[\w.:/+=-]{1,128}$/.test(given) ? given : core.newRequestId();
}

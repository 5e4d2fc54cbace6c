import * as field from '../message/field-names.ts';
import type { RequestRecord } from '../plane/types.ts';
import type { Exchange } from './exchange.ts';

const PROTOCOLS = ['HTTP/1.0', 'HTTP/1.1', 'HTTP/2.0'] as const;

/** A finished exchange as hooks see it: its texts are made when read, since most hooks read few. */
export function createRecord(exchange: Exchange): RequestRecord {
  return new LazyRecord(exchange);
}

class LazyRecord implements RequestRecord {
  private readonly exchange: Exchange;
  readonly durationMs: number;
  constructor(exchange: Exchange) {
    this.exchange = exchange;
    this.durationMs = exchange.context.core.elapsed() - exchange.started;
  }
  get startedAt() {
    return this.exchange.startedAt;
  }
  get protocol() {
    return PROTOCOLS[this.exchange.head.version];
  }
  get method() {
    return this.exchange.head.method();
  }
  get host() {
    return this.exchange.head.authority();
  }
  get target() {
    return this.exchange.head.target();
  }
  get status() {
    return this.exchange.status;
  }
  get requestBytes() {
    return this.exchange.requestBytes;
  }
  get responseBytes() {
    return this.exchange.responseBytes;
  }
  get userAgent() {
    return this.exchange.head.valueOf(field.USER_AGENT);
  }
  get referer() {
    return this.exchange.head.valueOf(field.REFERER);
  }
  get requestId() {
    return this.exchange.requestId;
  }
  get route() {
    return this.exchange.service?.route;
  }
  get upstream() {
    return this.exchange.member?.target.url;
  }
  get problem() {
    return this.exchange.problem;
  }
  get clientAddress() {
    const { context, head } = this.exchange;
    return context.fields.clientAddress(head);
  }
  get connection() {
    return this.exchange.context.info;
  }
}

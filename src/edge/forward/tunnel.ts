import type { Wire, WireHandler } from '../wire/wire.ts';
import type { Exchange } from './exchange.ts';

/** Bytes both ways, unread: what an upgraded connection is to a proxy. */
export class Tunnel {
  private readonly client: Wire;
  private readonly upstream: Wire;
  private readonly exchange: Exchange;
  private readonly clientClosed: () => void;
  private sent = 0;
  private received = 0;
  private open = 2;
  private touchedSince = true;
  private deadline = 0;

  constructor(client: Wire, upstream: Wire, exchange: Exchange, clientClosed: () => void) {
    this.clientClosed = clientClosed;
    this.client = client;
    this.upstream = upstream;
    this.exchange = exchange;
    client.become(
      this.end(client, upstream, (count) => {
        this.sent += count;
      }),
    );
    upstream.become(
      this.end(upstream, client, (count) => {
        this.received += count;
      }),
    );
    client.resume();
    upstream.resume();
  }

  private end(from: Wire, to: Wire, count: (octets: number) => void): WireHandler {
    return {
      received: (bytes, start, end) => {
        count(end - start);
        this.touchedSince = true;
        to.write(bytes, start, end);
        if (to.isFull) {
          from.pause();
          to.wantsDrain = true;
        }
      },
      ended: () => to.end(),
      drained: () => to.resume(),
      closed: () => {
        to.end();
        if (from === this.client) this.clientClosed();
        if (--this.open === 0) this.exchange.tunnelEnded(this.sent, this.received);
      },
    };
  }

  /** Ends both sides when nothing has passed for so long. */
  tick(now: number, idleMs: number): void {
    if (this.touchedSince || this.deadline === 0) {
      this.touchedSince = false;
      this.deadline = now + idleMs;
    } else if (now >= this.deadline) this.cut();
  }

  cut(): void {
    this.client.destroy();
    this.upstream.destroy();
  }
}

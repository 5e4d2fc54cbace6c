import { errorText } from '../../base/index.ts';
import type { HealthRules, Route } from '../../picture/index.ts';
import type { Exchange } from '../forward/exchange.ts';
import type { UpstreamState } from '../plane/types.ts';
import { checkUpstream } from './active-check.ts';
import { type Connected, type Connecting, connect } from './connect.ts';
import { Health } from './health.ts';
import { Http1Upstream } from './http1-upstream.ts';
import { Http2Upstream } from './http2-upstream.ts';
import type { PoolsOptions } from './pools.ts';
import type { Target } from './target.ts';

// Longer than that, and a server in front of us has likely closed it: nginx keeps 75 s, Go 2 min, Node says it itself.
const IDLE_MS = 55_000;
const MOST_IDLE = 1_024;
/** A request that cannot be repeated takes a connection that was in use a moment ago, or a new one. */
const FRESH_MS = 2_000;
const FAILURE_TOLD_EVERY_MS = 60_000;

/** The connections to one upstream. */
export class Pool {
  readonly target: Target;
  readonly health = new Health();
  private readonly options: PoolsOptions;
  /** The one used last is used first, so that a quiet time shrinks the pool. */
  private idle: Http1Upstream[] = [];
  private readonly busy = new Set<Http1Upstream>();
  private readonly connecting = new Set<Connecting>();
  /** HTTP/2 connections, which requests share. */
  private readonly shared: Http2Upstream[] = [];
  private waiting: Exchange[] = [];
  private readonly shares: boolean;
  private knownShared: boolean;
  private checking: { readonly routeId: string; readonly stop: AbortController } | undefined;
  private closed = false;
  private wasHealthy = true;
  private failureTold = Number.NEGATIVE_INFINITY;

  constructor(target: Target, options: PoolsOptions) {
    this.target = target;
    this.options = options;
    this.shares = target.protocol !== 'h1';
    this.knownShared = target.protocol === 'h2';
  }

  acquire(exchange: Exchange, mayRepeat: boolean): void {
    const now = this.now();
    if (this.shares && this.acquireShared(exchange)) return;
    for (let next = this.idle.at(-1); next !== undefined; next = this.idle.at(-1)) {
      if (!mayRepeat && now - next.idleSince > FRESH_MS) break;
      this.idle.pop();
      if (!next.isUsable(now)) {
        next.close();
        continue;
      }
      this.busy.add(next);
      exchange.connected(next);
      return;
    }
    this.open(exchange, now);
  }

  /** HTTP/2: a place on a connection that is up, or a wait for the one that will be. False: not known to be HTTP/2. */
  private acquireShared(exchange: Exchange): boolean {
    const shared = this.shared.find((connection) => connection.hasRoom());
    if (shared !== undefined) {
      exchange.connected(shared.newRequest());
      return true;
    }
    if (this.connecting.size === 0 || !this.knownShared) return false;
    this.waiting.push(exchange);
    return true;
  }

  /** A shared connection may take more: those that wait, in order. */
  roomInShared(): void {
    while (this.waiting.length > 0) {
      const shared = this.shared.find((connection) => connection.hasRoom());
      if (shared === undefined) break;
      const exchange = this.waiting.shift()!;
      if (!exchange.isDone) exchange.connected(shared.newRequest());
    }
  }

  private openShared(connected: Connected, exchange: Exchange): void {
    this.knownShared = true;
    const shared = new Http2Upstream(this, connected);
    shared.idleSince = this.now();
    this.shared.push(shared);
    if (!exchange.isDone) exchange.connected(shared.newRequest());
    this.roomInShared();
    // More wait than it takes: one more connection.
    const next = this.waiting.shift();
    if (next !== undefined && this.connecting.size === 0) this.open(next, this.now());
    else if (next !== undefined) this.waiting.unshift(next);
  }

  /** Those that waited for a connection that did not come, or was not HTTP/2. */
  private releaseWaiting(retry: (exchange: Exchange) => void): void {
    const { waiting } = this;
    this.waiting = [];
    for (const exchange of waiting) if (!exchange.isDone) retry(exchange);
  }

  forgetShared(connection: Http2Upstream): void {
    const at = this.shared.indexOf(connection);
    if (at >= 0) this.shared.splice(at, 1);
  }

  now(): number {
    return this.options.clock.now();
  }

  private open(exchange: Exchange, now: number): void {
    const own = exchange.service?.route.timeouts?.connectMs;
    const connectMs = own ?? this.options.settings().limits.upstream.connectMs;
    const connecting = connect(this.target, exchange.context.info, now + connectMs, (result) => {
      this.connecting.delete(connecting);
      if ('error' in result) {
        const failure = { detail: errorText(result.error), unsent: true, stale: false, timeout: result.timeout };
        exchange.upstreamFailed(failure);
        this.releaseWaiting((waiting) => waiting.upstreamFailed(failure));
        return;
      }
      if (result.protocol === 'h2') {
        this.openShared(result, exchange);
        return;
      }
      this.knownShared = false;
      this.releaseWaiting((waiting) => this.open(waiting, this.now()));
      const side = new Http1Upstream(this, result);
      this.busy.add(side);
      exchange.connected(side);
    });
    this.connecting.add(connecting);
  }

  /** A connection has finished its request and can take another. */
  giveBack(side: Http1Upstream): void {
    this.busy.delete(side);
    // What a PROXY header said of one client must not be believed of the next.
    if (this.closed || this.idle.length >= MOST_IDLE || this.target.proxyProtocol !== undefined) {
      side.close();
      return;
    }
    const now = this.options.clock.now();
    side.idleSince = now;
    side.idleUntil = now + Math.min(IDLE_MS, side.keepAliveMs);
    this.idle.push(side);
  }

  /** A connection has ended. */
  forget(side: Http1Upstream): void {
    if (this.busy.delete(side)) return;
    const at = this.idle.indexOf(side);
    if (at >= 0) this.idle.splice(at, 1);
  }

  isHealthy(): boolean {
    return this.health.isHealthy(this.options.clock.now());
  }
  succeeded(): void {
    this.health.succeeded();
    if (!this.wasHealthy) this.noteHealth();
  }
  failed(detail: string): void {
    const now = this.now();
    this.health.failed(now, detail);
    this.noteHealth();
    // A single 502 has its reason in the log; many have it once a minute.
    if (now - this.failureTold < FAILURE_TOLD_EVERY_MS) return;
    this.failureTold = now;
    this.options.log.warn({ upstream: this.target.url, reason: detail }, 'a request failed at its upstream');
  }
  private noteHealth(): void {
    const healthy = this.isHealthy();
    if (healthy === this.wasHealthy) return;
    this.wasHealthy = healthy;
    const facts = { upstream: this.target.url, reason: this.health.reason };
    if (healthy) this.options.log.info(facts, 'the upstream is well again');
    else this.options.log.warn(facts, 'the upstream is resting after failures');
    this.options.changed(this.state());
  }

  /** A route leads here. Its health rules count; of several routes' active checks the first runs. */
  watch(route: Route): void {
    this.health.follow(route.health);
    const rules = route.health?.active;
    if (rules === undefined || this.checking !== undefined) return;
    this.checking = { routeId: route.id, stop: new AbortController() };
    void this.check(rules, this.checking.stop.signal);
  }
  unwatch(route: Route): void {
    if (this.checking?.routeId !== route.id) return;
    this.checking.stop.abort();
    this.checking = undefined;
    this.health.uncheck();
  }

  private async check(rules: NonNullable<HealthRules['active']>, stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      const { well, detail } = await checkUpstream(this.target, rules);
      if (stop.aborted) return;
      this.health.checked(well, detail, rules.healthyAfter ?? 2, rules.unhealthyAfter ?? 3);
      this.noteHealth();
      await this.options.clock.sleep(rules.intervalMs ?? 10_000, stop).catch(() => {});
    }
  }

  state(): UpstreamState {
    return {
      url: this.target.url,
      healthy: this.isHealthy(),
      reason: this.health.reason,
      active: this.shared.reduce((sum, { active }) => sum + active, this.busy.size),
      idleConnections: this.shared.reduce((sum, { active }) => sum + (active === 0 ? 1 : 0), this.idle.length),
    };
  }

  tick(now: number): void {
    if (!this.wasHealthy) this.noteHealth();
    for (const connecting of this.connecting) connecting.tick(now);
    // The oldest are at the front.
    let expired = 0;
    while (expired < this.idle.length && !this.idle[expired]!.isUsable(now)) expired++;
    for (const side of this.idle.splice(0, expired)) side.close();
    for (const connection of [...this.shared]) {
      if (connection.active > 0 || now - connection.idleSince < IDLE_MS) continue;
      this.forgetShared(connection);
      connection.close();
    }
  }

  close(): void {
    this.closed = true;
    this.checking?.stop.abort();
    for (const side of this.idle) side.close();
    this.idle = [];
    for (const connection of this.shared.splice(0)) connection.leave();
    for (const connecting of this.connecting) connecting.cancel();
  }
}

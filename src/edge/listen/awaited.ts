import type { Socket } from 'node:net';
import type { Clock } from '../../base/index.ts';
import { limitKey, plainAddress } from '../limits/addresses.ts';

export interface AwaitedDeps {
  /** The longest that a handshake is held. */
  readonly waitMs: number;
  /** Looks whether what is served changed. */
  refresh(): void;
  isServed(serverName: string): boolean;
  /** Somebody at `address` asks for a name that is routed and has no certificate. May be heard again for the same one. */
  want(serverName: string, address: string): void;
  readonly clock: Clock;
}

/** Handshakes that are held back, after their ClientHello, while a certificate for their name is being got. */
export interface Awaited {
  /**
   * Calls `settle` once, unless the client leaves: without words when the name can be served, else with why not. False
   * when there is no room, or the name was refused a moment ago.
   */
  hold(serverName: string, address: string, socket: Socket, settle: (refusal?: string) => void): boolean;
  /** There will be no certificate for now; handshakes of the next `forMs` are not held either. */
  refuse(serverName: string, forMs: number): void;
  /** Once a second: what waited too long goes, and what waits on is asked for again, since who was asked may be another. */
  sweep(): void;
  count(): number;
}

interface Held {
  readonly serverName: string;
  readonly address: string;
  readonly until: number;
  readonly settle: (refusal?: string) => void;
}

// A held handshake costs a socket and a few hundred bytes, and no processor time.
const MOST = 1_000;
// Visitors behind one address share it; a browser opens several connections.
const MOST_OF_ADDRESS = 32;
const MOST_REFUSALS = 10_000;
const LOOK_MS = 4;

export function createAwaited(deps: AwaitedDeps): Awaited {
  const { clock } = deps;
  const held = new Map<Socket, Held>();
  const perAddress = new Map<string, number>();
  const asked = new Set<string>();
  const refusedUntil = new Map<string, number>();
  let looking: NodeJS.Timeout | undefined;

  const release = (socket: Socket) => {
    const one = held.get(socket);
    if (one === undefined) return undefined;
    held.delete(socket);
    const left = (perAddress.get(one.address) ?? 1) - 1;
    if (left > 0) perAddress.set(one.address, left);
    else perAddress.delete(one.address);
    if (held.size === 0) {
      clearInterval(looking);
      looking = undefined;
      asked.clear();
    }
    return one;
  };
  const settleAll = (which: (one: Held) => boolean, refusal?: string) => {
    for (const [socket, one] of [...held]) if (which(one)) release(socket)?.settle(refusal);
  };
  const look = () => {
    deps.refresh();
    const served = new Map<string, boolean>();
    settleAll(({ serverName }) => {
      if (!served.has(serverName)) served.set(serverName, deps.isServed(serverName));
      return served.get(serverName) === true;
    });
  };
  const ask = ({ serverName, address }: Pick<Held, 'serverName' | 'address'>) => {
    if (asked.has(serverName)) return;
    asked.add(serverName);
    deps.want(serverName, address);
  };
  const isRefused = (serverName: string) => {
    const until = refusedUntil.get(serverName);
    if (until === undefined) return false;
    if (until > clock.now()) return true;
    refusedUntil.delete(serverName);
    return false;
  };

  return {
    hold(serverName, remoteAddress, socket, settle) {
      const address = limitKey(plainAddress(remoteAddress));
      const own = perAddress.get(address) ?? 0;
      if (held.size >= MOST || own >= MOST_OF_ADDRESS || isRefused(serverName)) return false;
      perAddress.set(address, own + 1);
      const one = { serverName, address, until: clock.now() + deps.waitMs, settle };
      held.set(socket, one);
      socket.pause();
      socket.once('close', () => release(socket));
      looking ??= setInterval(look, LOOK_MS).unref();
      ask(one);
      return true;
    },
    refuse(serverName, forMs) {
      if (refusedUntil.size >= MOST_REFUSALS) refusedUntil.clear();
      refusedUntil.set(serverName, clock.now() + forMs);
      asked.delete(serverName);
      settleAll((one) => one.serverName === serverName, 'no certificate yet');
    },
    sweep() {
      const now = clock.now();
      settleAll(({ until }) => until <= now, 'certificate not in time');
      asked.clear();
      for (const one of held.values()) ask(one);
    },
    count: () => held.size,
  };
}

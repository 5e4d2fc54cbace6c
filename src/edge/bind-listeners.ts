import type { Logger } from '../base/index.ts';
import { FIRST_INHERITED_FD } from '../process/index.ts';
import type { HandedSockets } from './handed-sockets.ts';
import { type BoundPort, bindPort } from './sockets.ts';
import type { ListenerPlan } from './start-edge.ts';
import type { InheritedSocket } from './worker-wire.ts';

/** A listener and its open ports. */
export interface PlanPorts {
  readonly plan: ListenerPlan;
  readonly https?: BoundPort;
  readonly http?: BoundPort;
}

/** Sockets that were handed over where there are some, else new ones; all or none. */
export function bindListeners(
  plans: readonly ListenerPlan[],
  slots: number,
  handed: HandedSockets,
  log: Logger,
): PlanPorts[] {
  const bound: PlanPorts[] = [];
  const bind = (name: string, address: string, port: number | undefined) =>
    port === undefined ? undefined : (handed.take(name, address, port) ?? bindPort(address, port, slots));
  try {
    for (const plan of plans) {
      const { id, address } = plan;
      const https = bind(`${id}.https`, address, plan.httpsPort);
      bound.push({ plan, https });
      const http = bind(`${id}.http`, address, plan.httpPort);
      bound[bound.length - 1] = { plan, https, http };
    }
    const rest = handed.closeRest();
    if (rest.length > 0) log.warn({ sockets: rest }, 'sockets were handed over that no listener is for');
    return bound;
  } catch (error) {
    for (const { https, http } of bound) {
      https?.close();
      http?.close();
    }
    throw error;
  }
}

/**
 * All sockets in one order, with the descriptor that each has in a worker. Where slots are more than sockets, they share
 * them; where they are fewer, some have several: a socket that nobody listens on would keep its connections waiting.
 */
export function inherit(ports: readonly PlanPorts[], slots: number): { sockets: InheritedSocket[]; fds: number[] } {
  const sockets: InheritedSocket[] = [];
  const fds: number[] = [];
  const add = (listener: string, role: InheritedSocket['role'], port: BoundPort | undefined) => {
    for (let i = 0; port !== undefined && i < Math.max(slots, port.fds.length); i++) {
      sockets.push({ slot: i % slots, listener, role, fd: FIRST_INHERITED_FD + fds.length });
      fds.push(port.fds[i % port.fds.length]!);
    }
  };
  for (const { plan, https, http } of ports) {
    add(plan.id, 'tls', https);
    add(plan.id, 'plain', http);
  }
  return { sockets, fds };
}

import type { SendHandle } from 'node:child_process';
import { Fault, type Logger } from '../base/index.ts';
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

/** Those of `before` that stay, sockets that were handed over where there are some, else new ones; all or none. */
export function bindListeners(
  plans: readonly ListenerPlan[],
  slots: number,
  handed: HandedSockets,
  log: Logger,
  before: readonly PlanPorts[] = [],
): PlanPorts[] {
  const bound: PlanPorts[] = [];
  const opened: BoundPort[] = [];
  const bind = (name: string, address: string, port: number | undefined) => {
    if (port === undefined) return undefined;
    const open = handed.take(name, address, port) ?? bindPort(address, port, slots);
    opened.push(open);
    return open;
  };
  try {
    for (const plan of plans) {
      const { id, address } = plan;
      const same = before.filter((entry) => entry.plan.id === id && entry.plan.address === address);
      const kept = (port: 'httpsPort' | 'httpPort') => same.find((entry) => entry.plan[port] === plan[port]);
      const https = kept('httpsPort')?.https ?? bind(`${id}.https`, address, plan.httpsPort);
      const http = kept('httpPort')?.http ?? bind(`${id}.http`, address, plan.httpPort);
      bound.push({ plan, https, http });
    }
    const rest = handed.closeRest();
    if (rest.length > 0) log.warn({ sockets: rest }, 'sockets were handed over that no listener is for');
    return bound;
  } catch (error) {
    for (const port of opened) port.close();
    throw error;
  }
}

/** Tells a port from one that the listener had before or will have. */
const keyOf = (listener: string, role: InheritedSocket['role'], { address, port }: BoundPort) =>
  `${listener} ${role} ${address} ${port}`;

/**
 * All sockets in one order, with the descriptor that each has in a worker. Where slots are more than sockets, they share
 * them; where they are fewer, some have several: a socket that nobody listens on would keep its connections waiting.
 */
export function inherit(ports: readonly PlanPorts[], slots: number): { sockets: InheritedSocket[]; fds: number[] } {
  const sockets: InheritedSocket[] = [];
  const fds: number[] = [];
  const add = (listener: string, role: InheritedSocket['role'], port: BoundPort | undefined) => {
    for (let i = 0; port !== undefined && i < Math.max(slots, port.fds.length); i++) {
      const key = keyOf(listener, role, port);
      sockets.push({ key, slot: i % slots, listener, role, fd: FIRST_INHERITED_FD + fds.length });
      fds.push(port.fds[i % port.fds.length]!);
    }
  };
  for (const { plan, https, http } of ports) {
    add(plan.id, 'tls', https);
    add(plan.id, 'plain', http);
  }
  return { sockets, fds };
}

/** What workers that run already have to be given: each socket with its handle. */
export function additions(
  ports: readonly PlanPorts[],
  before: readonly PlanPorts[],
  slots: number,
): { socket: Omit<InheritedSocket, 'fd'>; handle: SendHandle }[] {
  const known = new Set(before.flatMap(({ https, http }) => [https, http]));
  const added = (plan: ListenerPlan, role: InheritedSocket['role'], port: BoundPort | undefined) => {
    if (port === undefined || known.has(port)) return [];
    const handles = port.handles();
    if (handles === undefined) throw cannotSend();
    return Array.from({ length: Math.max(slots, handles.length) }, (_, i) => ({
      socket: { key: keyOf(plan.id, role, port), slot: i % slots, listener: plan.id, role },
      handle: handles[i % handles.length]!,
    }));
  };
  return ports.flatMap(({ plan, https, http }) => [...added(plan, 'tls', https), ...added(plan, 'plain', http)]);
}

const cannotSend = () =>
  new Fault({
    code: 'restart_needed',
    detail: 'listeners were added or moved, and this Node.js cannot give sockets to processes that run',
    party: 'operator',
    retry: 'never',
    advice: 'send SIGUSR2: a new process takes the ports over while the old one finishes its requests',
    field: 'listeners',
  });

/** Ports of `before` that are in `ports` no more. */
export function closeGone(before: readonly PlanPorts[], ports: readonly PlanPorts[]): void {
  const kept = new Set(ports.flatMap(({ https, http }) => [https, http]));
  for (const { https, http } of before)
    for (const port of [https, http]) if (port !== undefined && !kept.has(port)) port.close();
}

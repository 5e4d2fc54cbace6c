import { type AddressInfo, Socket } from 'node:net';
import type { Environment } from '../base/index.ts';
import type { BoundPort } from './sockets.ts';

/**
 * Sockets that were opened for us, by systemd or by a process of ours that we take over from: descriptors from 3 on, as
 * many as LISTEN_FDS says (sd_listen_fds(3)).
 */
export interface HandedSockets {
  /** Those that are called `name`, else those of this address and port; each is given once. */
  take(name: string, address: string, port: number): BoundPort | undefined;
  /** Closes what nobody took, and says what it was. */
  closeRest(): string[];
}

export const NOTHING_HANDED: HandedSockets = { take: () => undefined, closeRest: () => [] };

const FIRST_FD = 3;
/** Who takes over cannot be told its own process id before it has one. */
const TAKES_OVER_FROM = 'GATEHOUSE_TAKES_OVER_FROM';

export const takesOver = (env: Environment): boolean => env[TAKES_OVER_FROM] === String(process.ppid);

/** What a process that takes over is told: the ports in the order of its descriptors. */
export function handOver(ports: readonly HandedPort[]): { fds: number[]; env: Record<string, string> } {
  const fds = ports.flatMap((port) => port.fds);
  return {
    fds,
    env: {
      LISTEN_FDS: String(fds.length),
      LISTEN_FDNAMES: ports.flatMap(({ name, fds: own }) => own.map(() => name)).join(':'),
      [TAKES_OVER_FROM]: String(process.pid),
    },
  };
}

export interface HandedPort {
  readonly name: string;
  readonly fds: readonly number[];
}

export function handedSockets(env: Environment): HandedSockets {
  const ours = env.LISTEN_PID === String(process.pid) || takesOver(env);
  const count = Number(env.LISTEN_FDS ?? 0);
  if (!ours || !Number.isSafeInteger(count) || count <= 0) return NOTHING_HANDED;
  const names = (env.LISTEN_FDNAMES ?? '').split(':');
  let left = Array.from({ length: count }, (_, i) => open(FIRST_FD + i, names[i] ?? ''));
  const takeWhere = (is: (socket: Handed) => boolean): Handed[] => {
    const taken = left.filter(is);
    left = left.filter((socket) => !taken.includes(socket));
    return taken;
  };
  return {
    take(name, address, port) {
      const named = takeWhere((socket) => socket.name === name);
      const same = named.length > 0 || port === 0 ? named : takeWhere((socket) => isAt(socket, address, port));
      const [first] = same;
      if (first === undefined) return undefined;
      return {
        address,
        port: first.port,
        fds: same.map(({ fd }) => fd),
        handles: () => undefined,
        close() {
          for (const { socket } of same) socket.destroy();
        },
      };
    },
    closeRest: () =>
      takeWhere(() => true).map(({ socket, name, address, port }) => {
        socket.destroy();
        return `${name === '' ? '' : `${name} at `}${address}:${port}`;
      }),
  };
}

interface Handed {
  readonly fd: number;
  readonly name: string;
  readonly socket: Socket;
  readonly address: string;
  readonly port: number;
}

/** A socket of Node's that is never read: it knows the address, and keeps the descriptor open. */
function open(fd: number, name: string): Handed {
  const socket = new Socket({ fd, readable: false, writable: false });
  const { address = '', port = 0 } = socket.address() as Partial<AddressInfo>;
  return { fd, name, socket, address, port };
}

/** A socket of all addresses serves for a listener on any: systemd's `ListenStream=443` is one. */
const isAt = (socket: Handed, address: string, port: number) =>
  socket.port === port && (socket.address === address || socket.address === '::' || socket.address === '0.0.0.0');

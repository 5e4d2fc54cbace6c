import { connect as connectPlain, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { formatProxyHeader } from '../listen/proxy-protocol.ts';
import type { ConnectionInfo } from '../plane/types.ts';
import type { Target } from './target.ts';

export interface Connecting {
  /** Gives up when the deadline is past. */
  tick(now: number): void;
  cancel(): void;
}

/** A connection that is up. `receive` is set before anything can arrive. */
export interface Connected {
  readonly socket: Socket;
  readonly protocol: 'h1' | 'h2';
  /** True when `listen` sets who gets bytes from the shared buffer, instead of reading by the wire. */
  readonly listen: ((receive: (bytes: Buffer, end: number) => void) => void) | undefined;
}

export type ConnectResult = Connected | { readonly error: Error; readonly timeout: boolean };

/**
 * Every plain upstream socket reads into this one buffer: what is received is parsed and handed on before the next read,
 * so nothing is allocated for it (net.connect's documented `onread`).
 */
const SHARED = Buffer.allocUnsafeSlow(256 * 1024);

export function connect(
  target: Target,
  client: ConnectionInfo,
  deadline: number,
  done: (result: ConnectResult) => void,
): Connecting {
  let receive: ((bytes: Buffer, end: number) => void) | undefined;
  let settled = false;
  const settle = (result: ConnectResult) => {
    if (settled) return;
    settled = true;
    done(result);
  };
  const fail = (error: Error, timeout: boolean) => {
    settle({ error, timeout });
    socket.destroy();
  };
  const plain = connectPlain({
    ...target.transport,
    noDelay: true,
    ...(target.tls === undefined
      ? {
          onread: {
            buffer: SHARED,
            callback: (count: number, bytes: Uint8Array) => {
              receive?.(bytes as Buffer, count);
              return true;
            },
          },
        }
      : {}),
  });
  const header = target.proxyProtocol === undefined ? undefined : formatProxyHeader(target.proxyProtocol, client);
  if (header !== undefined) plain.write(header);
  let socket: Socket = plain;
  const listen = (to: (bytes: Buffer, end: number) => void) => {
    receive = to;
  };
  if (target.tls === undefined) {
    const protocol = target.protocol === 'h2' ? 'h2' : 'h1';
    plain.once('connect', () => settle({ socket: plain, protocol, listen }));
  } else {
    const { serverName, ca, insecure } = target.tls;
    const secure = connectTls({
      socket: plain,
      servername: /^[\d.]+$|:/.test(serverName) ? '' : serverName,
      host: serverName,
      rejectUnauthorized: !insecure,
      ALPNProtocols: target.protocol === 'alpn' ? ['h2', 'http/1.1'] : ['http/1.1'],
      ...(ca === undefined ? {} : { ca }),
    });
    socket = secure;
    secure.once('secureConnect', () =>
      settle({ socket: secure, protocol: secure.alpnProtocol === 'h2' ? 'h2' : 'h1', listen: undefined }),
    );
  }
  const failed = (error: Error) => fail(error, false);
  plain.once('error', failed);
  socket.once('error', failed);
  socket.once('close', () => fail(new Error('the connection was closed'), false));
  return {
    tick: (now) => {
      if (now >= deadline) fail(new Error('connecting took too long'), true);
    },
    cancel: () => fail(new Error('connecting was given up'), false),
  };
}

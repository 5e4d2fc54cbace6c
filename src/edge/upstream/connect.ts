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

/** A connection that is up. */
export interface Connected {
  readonly socket: Socket;
  readonly protocol: 'h1' | 'h2';
}

export type ConnectResult = Connected | { readonly error: Error; readonly timeout: boolean };

export function connect(
  target: Target,
  client: ConnectionInfo,
  deadline: number,
  done: (result: ConnectResult) => void,
): Connecting {
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
  });
  const header = target.proxyProtocol === undefined ? undefined : formatProxyHeader(target.proxyProtocol, client);
  if (header !== undefined) plain.write(header);
  let socket: Socket = plain;
  if (target.tls === undefined) {
    const protocol = target.protocol === 'h2' ? 'h2' : 'h1';
    plain.once('connect', () => settle({ socket: plain, protocol }));
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
      settle({ socket: secure, protocol: secure.alpnProtocol === 'h2' ? 'h2' : 'h1' }),
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

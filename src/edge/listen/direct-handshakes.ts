import type { Socket } from 'node:net';
import type { SecureContext } from 'node:tls';
import { type ClientHello, parseClientHello } from '../tls/client-hello.ts';
import type { DirectConnection } from '../tls/direct-connection.ts';
import type { Handshakes } from './handshakes.ts';
import type { DirectAccept, Endpoints } from './tls-listener.ts';

export interface DirectHandshakeDeps {
  readonly protocols: readonly string[];
  readonly handshakes: Handshakes;
  mayBegin(connection: DirectConnection): boolean;
  /** For a handshake out of which nothing but HTTP can come; undefined sends any other to `otherwise`. */
  ordinaryContext(hello: ClientHello, endpoints: Endpoints): SecureContext | undefined;
  secured(connection: DirectConnection, endpoints: Endpoints, hello: ClientHello): void;
  failed(error: Error, endpoints: Endpoints, hello: ClientHello): void;
  /** As a Socket, with the bytes that were read of it. */
  otherwise(socket: Socket, endpoints: Endpoints, head: Buffer): void;
}

/** Handshakes without a Socket: the ClientHello came whole, a certificate is there, and no other is asked for. */
export function createDirectAccept(deps: DirectHandshakeDeps): DirectAccept {
  const { handshakes } = deps;
  const protocols = Buffer.concat(deps.protocols.map((name) => Buffer.from([name.length, ...Buffer.from(name)])));
  return (connection, endpoints, toSocket) => {
    if (!deps.mayBegin(connection)) return;
    handshakes.begin(connection);
    connection.on('close', () => handshakes.end(connection));
    connection.first((bytes) => {
      const result = parseClientHello(bytes);
      const hello = result.status === 'complete' ? result.hello : undefined;
      const context = hello && deps.ordinaryContext(hello, endpoints);
      if (hello === undefined || context === undefined) {
        handshakes.end(connection);
        deps.otherwise(toSocket(), endpoints, Buffer.from(bytes));
        return;
      }
      connection.secure(context, protocols, bytes, {
        secured() {
          handshakes.end(connection);
          deps.secured(connection, endpoints, hello);
        },
        failed: (_, error) => deps.failed(error, endpoints, hello),
      });
    });
  };
}

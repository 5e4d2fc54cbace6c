import type { Socket } from 'node:net';
import { type SecureContext, TLSSocket } from 'node:tls';
import { type Clock, errorText, type Logger } from '../../base/index.ts';
import type { OpenChallenge } from '../../picture/index.ts';
import type { ConnectionInfo, ListenerView, Plane } from '../plane/types.ts';
import { type AlertName, fatalAlert } from '../tls/alert.ts';
import type { ClientHello } from '../tls/client-hello.ts';
import type { ContextCache } from '../tls/context-cache.ts';
import type { DirectConnection } from '../tls/direct-connection.ts';
import { groupOf } from '../tls/groups.ts';
import { closeContext, createChallengeContext } from '../tls/secure-context.ts';
import { createAwaited } from './awaited.ts';
import { type ClientVerification, verifyClient } from './client-identity.ts';
import { createDirectAccept } from './direct-handshakes.ts';
import { createHandshakes } from './handshakes.ts';
import type { HandshakeObserver } from './observer.ts';
import type { Passthrough } from './passthrough.ts';
import { createRate } from './rate.ts';
import { readHello } from './read-hello.ts';
import type { TlsListenerSettings } from './settings.ts';

export interface TlsListenerDeps {
  readonly view: ListenerView;
  readonly contexts: ContextCache;
  /** Looks whether what is served changed; called before each lookup. */
  refresh(): void;
  challenge(serverName: string, now: number): OpenChallenge | undefined;
  /** Whether something is routed under exactly this name. */
  isRouted(serverName: string): boolean;
  /** A certificate for a routed name is waited for; `address` is what limits count by. May be heard again and again. */
  want(serverName: string, address: string): void;
  readonly passthrough: Passthrough;
  readonly plane: Plane;
  readonly observer: HandshakeObserver;
  readonly clock: Clock;
  /** Limited: strangers cause these lines. */
  readonly log: Logger;
}

/** Where a connection comes from, as the socket or the PROXY protocol says. */
export interface Endpoints {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
}

/**
 * Takes a connection that was admitted and is no Socket yet. `toSocket` makes it one, for what is not ordinary: the
 * connection object is of no use then.
 */
export type DirectAccept = (connection: DirectConnection, endpoints: Endpoints, toSocket: () => Socket) => void;

export interface TlsListener {
  /** Takes a connection that was admitted; `head` is what was read of it already. */
  accept(socket: Socket, endpoints: Endpoints, head: Buffer | undefined): void;
  readonly acceptDirectly: DirectAccept;
  /** There will be no certificate for the name for now. */
  refuseName(serverName: string, forMs: number): void;
  sweep(): void;
  handshaking(): number;
}

const ACME_TLS = 'acme-tls/1';
const HTTP = ['h2', 'http/1.1'];
const HTTP1 = ['http/1.1'];

type Decision =
  | { readonly status: 'serve'; readonly context: SecureContext; readonly protocols: string[] }
  | { readonly status: 'challenge'; readonly context: SecureContext }
  | { readonly status: 'await'; readonly serverName: string }
  | { readonly status: 'refuse'; readonly alert: AlertName; readonly reason: string };

export function createTlsListener(settings: TlsListenerSettings, deps: TlsListenerDeps): TlsListener {
  const { contexts, plane, observer, clock, log, view } = deps;
  const handshakes = createHandshakes(clock, settings.handshakeMs);
  const rate = settings.handshakesPerSecond === undefined ? undefined : createRate(settings.handshakesPerSecond, clock);
  const clients = settings.clientCertificates;
  const protocols = settings.http2 ? HTTP : HTTP1;
  const { awaitCertificateMs: waitMs } = settings;
  const awaited =
    waitMs === undefined
      ? undefined
      : createAwaited({
          waitMs,
          refresh: deps.refresh,
          isServed,
          want: deps.want,
          clock,
        });

  function isServed(serverName: string): boolean {
    try {
      return contexts.contextFor(serverName) !== undefined;
    } catch {
      // A broken one is found, logged and refused where the handshake goes on.
      return true;
    }
  }
  const passthroughFor = (serverName: string) => {
    deps.refresh();
    return deps.passthrough.routeFor(serverName);
  };
  // Without a name an address may have been meant: RFC 6066 §3 has no server name for one.
  const nameOf = (hello: ClientHello, localAddress: string) =>
    hello.serverName ?? settings.defaultServerName ?? localAddress;
  const decide = (hello: ClientHello, localAddress: string): Decision => {
    deps.refresh();
    const name = nameOf(hello, localAddress);
    if (hello.alpn.includes(ACME_TLS)) return decideChallenge(hello, name);
    const context = contexts.contextFor(name);
    if (context !== undefined) return { status: 'serve', context, protocols };
    // What is routed was claimed by somebody; for any other name nobody is bothered.
    if (awaited !== undefined && hello.serverName !== undefined && deps.isRouted(hello.serverName))
      return { status: 'await', serverName: hello.serverName };
    const reason = hello.serverName === undefined ? 'no server name' : 'unknown server name';
    return { status: 'refuse', alert: 'unrecognized_name', reason };
  };
  let looked = false;
  // Once for all handshakes of a turn: where that finds no certificate, `decide` looks again.
  const lookThisTurn = () => {
    if (looked) return;
    looked = true;
    setImmediate(() => {
      looked = false;
    });
    deps.refresh();
  };
  const ordinaryContext = (hello: ClientHello, { localAddress }: Endpoints): SecureContext | undefined => {
    if (clients !== undefined || hello.alpn.includes(ACME_TLS)) return undefined;
    lookThisTurn();
    if (hello.serverName !== undefined && deps.passthrough.routeFor(hello.serverName) !== undefined) return undefined;
    try {
      return contexts.contextFor(nameOf(hello, localAddress));
    } catch {
      // Found again, logged and refused by `decideSafely`.
      return undefined;
    }
  };
  // RFC 8737 §3: the one protocol offered, and only while a challenge for that name is open.
  const decideChallenge = (hello: ClientHello, name: string): Decision => {
    const open = hello.alpn.length === 1 ? deps.challenge(name, clock.now()) : undefined;
    if (open?.type !== 'tls-alpn-01')
      return { status: 'refuse', alert: 'no_application_protocol', reason: 'no open challenge' };
    return { status: 'challenge', context: createChallengeContext(open.chain, open.key) };
  };

  const refuse = (
    socket: Socket,
    endpoints: Endpoints,
    decision: { alert?: AlertName; reason: string },
    name?: string,
  ) => {
    handshakes.end(socket);
    observer.failed(decision.reason);
    log.warn(
      { listener: view.id, client: endpoints.remoteAddress, serverName: name },
      `handshake refused: ${decision.reason}`,
    );
    if (decision.alert === undefined) socket.destroy();
    else socket.end(fatalAlert(decision.alert), () => socket.destroy());
  };

  const secure = (
    socket: Socket,
    endpoints: Endpoints,
    hello: ClientHello,
    decision: Exclude<Decision, { status: 'refuse' | 'await' }>,
  ) => {
    const challenge = decision.status === 'challenge';
    const tls = new TLSSocket(socket, {
      isServer: true,
      secureContext: decision.context,
      ALPNProtocols: challenge ? [ACME_TLS] : decision.protocols,
      ...(clients !== undefined &&
        !challenge && { requestCert: true, rejectUnauthorized: clients.mode === 'required' }),
    });
    let over = false;
    const fail = (error: Error) => {
      if (over) return;
      over = true;
      handshakes.end(socket);
      noteFailure(error, endpoints, hello);
      tls.destroy();
    };
    tls.once('_tlsError', fail);
    tls.once('secure', () => {
      if (over) return;
      over = true;
      handshakes.end(socket);
      tls.removeListener('_tlsError', fail);
      releaseControl(tls);
      observer.completed(tls, groupOf(hello, settings.policy.groups));
      if (challenge) return endChallenge(tls, hello, endpoints);
      const client = clients === undefined ? undefined : verifyClient(tls);
      if (client !== undefined && !mayEnter(client)) {
        tls.destroy();
        return refuse(
          socket,
          endpoints,
          { reason: `client certificate: ${client.status === 'refused' ? client.reason : 'missing'}` },
          hello.serverName,
        );
      }
      plane.accept(tls, infoOf(tls.alpnProtocol, hello, endpoints, client));
    });
    if (challenge) tls.once('close', () => closeContext(decision.context));
  };
  const noteFailure = (error: Error, endpoints: Endpoints, hello: ClientHello) => {
    observer.failed('handshake error');
    log.warn(
      { listener: view.id, client: endpoints.remoteAddress, serverName: hello.serverName },
      `handshake failed: ${opensslReason(error)}`,
    );
  };
  const mayEnter = (client: ClientVerification) =>
    client.status === 'verified' || (client.status === 'none' && clients?.mode === 'optional');
  const endChallenge = (tls: TLSSocket, hello: ClientHello, endpoints: Endpoints) => {
    log.info(
      { listener: view.id, client: endpoints.remoteAddress, serverName: hello.serverName },
      'tls-alpn-01 challenge answered',
    );
    tls.on('error', () => {});
    tls.end();
    tls.resume();
  };
  const infoOf = (
    alpn: string | false | null | undefined,
    hello: ClientHello,
    endpoints: Endpoints,
    client?: ClientVerification,
  ): ConnectionInfo => ({
    ...endpoints,
    secure: true,
    serverName: hello.serverName,
    alpn: alpn === 'h2' || alpn === 'http/1.1' ? alpn : undefined,
    ...(client?.status === 'verified' && { clientCertificate: client.identity }),
    listener: view,
  });

  return {
    accept(socket, endpoints, head) {
      if (mayBegin(socket)) greet(socket, endpoints, head);
    },
    acceptDirectly: createDirectAccept({
      protocols,
      handshakes,
      mayBegin,
      ordinaryContext,
      secured(connection, endpoints, hello) {
        observer.completed(connection, groupOf(hello, settings.policy.groups));
        plane.accept(connection, infoOf(connection.alpnProtocol, hello, endpoints));
      },
      failed: noteFailure,
      otherwise: greet,
    }),
    refuseName: (serverName, forMs) => awaited?.refuse(serverName, forMs),
    sweep() {
      awaited?.sweep();
      const late = handshakes.sweep();
      if (late > 0) log.warn({ listener: view.id, late }, 'handshakes cut: too slow');
      for (let i = 0; i < late; i++) observer.failed('handshake timeout');
    },
    handshaking: () => handshakes.count() + (awaited?.count() ?? 0),
  };

  function mayBegin(connection: { destroy(): unknown }): boolean {
    if (rate?.take() !== false) return true;
    observer.failed('handshake rate');
    connection.destroy();
    return false;
  }

  function greet(socket: Socket, endpoints: Endpoints, head: Buffer | undefined): void {
    handshakes.begin(socket);
    socket.once('close', () => handshakes.end(socket));
    readHello(socket, head, (bytes, result) => {
      if (result.status === 'malformed')
        return refuse(socket, endpoints, { alert: 'decode_error', reason: result.reason });
      const { serverName } = result.hello;
      const route = serverName === undefined ? undefined : passthroughFor(serverName);
      if (route !== undefined) {
        handshakes.end(socket);
        return deps.passthrough.connect(route, socket, endpoints, bytes);
      }
      goOn(socket, endpoints, bytes, result.hello);
    });
  }

  function goOn(socket: Socket, endpoints: Endpoints, bytes: Buffer, hello: ClientHello): void {
    const decision = decideSafely(hello, endpoints);
    if (decision.status === 'await') hold(socket, endpoints, bytes, hello, decision.serverName);
    else if (decision.status === 'refuse') refuse(socket, endpoints, decision, hello.serverName);
    else {
      socket.pause();
      socket.unshift(bytes);
      secure(socket, endpoints, hello, decision);
    }
  }

  /** The client has said all that it has to say, so from here on its deadline is that of the certificate. */
  function hold(socket: Socket, endpoints: Endpoints, bytes: Buffer, hello: ClientHello, serverName: string): void {
    const no = (reason: string) => refuse(socket, endpoints, { alert: 'unrecognized_name', reason }, serverName);
    const isHeld = awaited?.hold(serverName, endpoints.remoteAddress, socket, (refusal) => {
      if (refusal !== undefined) return no(refusal);
      handshakes.begin(socket);
      goOn(socket, endpoints, bytes, hello);
    });
    if (isHeld === true) handshakes.end(socket);
    else no('no certificate yet');
  }

  function decideSafely(hello: ClientHello, endpoints: Endpoints): Decision {
    try {
      return decide(hello, endpoints.localAddress);
    } catch (error) {
      log.error(
        { listener: view.id, serverName: hello.serverName },
        `no certificate could be used: ${errorText(error)}`,
      );
      return { status: 'refuse', alert: 'internal_error', reason: 'certificate unusable' };
    }
  }
}

/** What Node's own tls.Server does before `secureConnection`: errors are told from here on, and http2 may begin. */
function releaseControl(socket: TLSSocket): void {
  const inside = socket as unknown as { _releaseControl?(): void; secureConnecting?: boolean };
  inside._releaseControl?.();
  inside.secureConnecting = false;
}

/** OpenSSL's own words; its whole message has addresses and source lines too. */
const opensslReason = (error: Error): string => (error as { reason?: string }).reason ?? errorText(error);

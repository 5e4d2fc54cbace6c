import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { errorText } from '../base/index.ts';
import type { ProbePort, ProbeReport } from './ports.ts';

const TIME_LIMIT_MS = 10_000;
const MOST_HEAD_BYTES = 16_384;

/** Looks at a service by one handshake and one request, whoever signed what it shows. */
export function createServiceProbe(): ProbePort {
  return {
    async look({ address, port, hostname, protocol, signal }) {
      const limit = AbortSignal.any([signal, AbortSignal.timeout(TIME_LIMIT_MS)]);
      let socket: Socket | undefined;
      try {
        socket = await connected(address, port, protocol === 'https' ? hostname : undefined, limit);
        const certificate = 'getPeerX509Certificate' in socket ? shown(socket as TLSSocket) : {};
        return { connected: true, ...certificate, ...(await firstAnswer(socket, hostname, limit)) };
      } catch (error) {
        signal.throwIfAborted();
        return { connected: false, problem: limit.aborted ? 'no answer in time' : errorText(error) };
      } finally {
        socket?.destroy();
      }
    },
  };
}

function connected(host: string, port: number, servername: string | undefined, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket =
      servername === undefined
        ? connectTcp({ host, port }, () => resolve(socket))
        : // Nothing is trusted: the question is what is shown.
          connectTls({ host, port, servername, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] }, () =>
            resolve(socket),
          );
    const abort = () => socket.destroy(new Error('no answer in time'));
    signal.addEventListener('abort', abort, { once: true });
    socket.once('close', () => signal.removeEventListener('abort', abort));
    socket.once('error', reject);
  });
}

function shown(socket: TLSSocket): Partial<ProbeReport> {
  const leaf = socket.getPeerX509Certificate();
  if (leaf === undefined) return {};
  const words = (text: string | undefined) => (text ?? '').split('\n').join(', ').slice(0, 300);
  return {
    fingerprint: leaf.fingerprint256.replaceAll(':', '').toLowerCase(),
    // A certificate of today has no common name (RFC 9525 §2), so its names stand for a subject that is empty.
    subject: words(leaf.subject) || words(leaf.subjectAltName),
    issuer: words(leaf.issuer),
    names: [...(leaf.subjectAltName ?? '').matchAll(/DNS:([^,\s"]+)/g)].flatMap(([, name]) => name ?? []).slice(0, 100),
  };
}

/** What the edge says of a host that it has no site for. */
const UNPUBLISHED = 'no site was published under this name';

/** The answer to `GET /`; nothing when what answers speaks no HTTP/1.1. */
async function firstAnswer(
  socket: Socket,
  hostname: string,
  signal: AbortSignal,
): Promise<Pick<ProbeReport, 'status' | 'unpublished'>> {
  socket.write(`GET / HTTP/1.1\r\nHost: ${hostname}\r\nUser-Agent: gatehouse-probe\r\nConnection: close\r\n\r\n`);
  let text = '';
  try {
    for await (const part of socket) {
      text += Buffer.from(part as Uint8Array).toString('latin1');
      // Of a 403 it matters who refuses, which the body says.
      if (text.length > MOST_HEAD_BYTES || (text.includes('\r\n') && !/^HTTP\/1\.[01] 403/.test(text))) break;
    }
  } catch {
    signal.throwIfAborted();
  }
  const status = /^HTTP\/1\.[01] (\d{3})\b/.exec(text)?.[1];
  if (status === undefined) return {};
  return { status: Number(status), ...(text.includes(UNPUBLISHED) && { unpublished: true }) };
}

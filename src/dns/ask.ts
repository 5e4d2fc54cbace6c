import { createSocket } from 'node:dgram';
import { connect, isIPv6 } from 'node:net';
import { request } from 'undici';
import { errorText, Fault } from '../base/index.ts';
import { decodeReply, encodeQuestion, type Question, type Reply } from './message.ts';
import { type ServerAddress, serverLabel } from './server-address.ts';

/** One question to one server: UDP, again by TCP when the answer is cut off, or HTTPS. */
export type Ask = (server: ServerAddress, question: Question, signal: AbortSignal) => Promise<Reply>;

const DATAGRAM_MS = 2_000;
const DATAGRAMS = 2;
const STREAM_MS = 5_000;
const LARGEST_MESSAGE = 65_535;

/** Throws a `Fault` of code `dns_unanswered` whose detail ends in the reason: `timeout`, `connection refused`, … */
export const ask: Ask = async (server, question, signal) => {
  signal.throwIfAborted();
  try {
    if (server.kind === 'https') return await askByHttps(server.url, question, signal);
    for (let attempt = 1; ; attempt++) {
      try {
        const reply = await askByDatagram(server, question, signal);
        return reply.truncated ? await askByStream(server, question, signal) : reply;
      } catch (error) {
        signal.throwIfAborted();
        if (attempt >= DATAGRAMS) throw error;
      }
    }
  } catch (error) {
    signal.throwIfAborted();
    const reason = error instanceof Unanswered ? error.message : errorText(error);
    throw new Fault(
      {
        code: 'dns_unanswered',
        detail: `${serverLabel(server)} did not answer ${question.type} ${question.name || '.'}: ${reason}`,
        party: 'dns',
        retry: 'backoff',
      },
      error instanceof Unanswered ? error : new Unanswered(reason),
    );
  }
};

class Unanswered extends Error {}

/** The reason alone, for a table: `timeout`, `connect ECONNREFUSED …`. */
export function unansweredReason(error: unknown): string {
  if (error instanceof Fault && error.cause instanceof Unanswered) return error.cause.message;
  return errorText(error);
}

type PlainServer = Extract<ServerAddress, { kind: 'plain' }>;

function askByDatagram({ host, port }: PlainServer, question: Question, signal: AbortSignal): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const { id, message } = encodeQuestion(question);
    const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
    const finish = (act: () => void) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      socket.removeAllListeners('message').close();
      act();
    };
    const onAbort = () => finish(() => reject(signal.reason));
    const timer = setTimeout(() => finish(() => reject(new Unanswered('timeout'))), DATAGRAM_MS);
    signal.addEventListener('abort', onAbort, { once: true });
    socket.once('error', (error) => finish(() => reject(error)));
    socket.on('message', (bytes) => {
      const reply = decodeReply(bytes, id, question);
      if (reply !== undefined) finish(() => resolve(reply));
    });
    // Connected, so that the kernel drops datagrams from other addresses and reports a closed port.
    // Not by connect's callback, which is also called when there is no way there; that is an error event without one.
    socket.once('connect', () => socket.send(message));
    socket.connect(port, host);
  });
}

function askByStream({ host, port }: PlainServer, question: Question, signal: AbortSignal): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const { id, message } = encodeQuestion(question);
    const socket = connect({ host, port });
    const finish = (act: () => void) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      socket.removeAllListeners('data').destroy();
      act();
    };
    const onAbort = () => finish(() => reject(signal.reason));
    const timer = setTimeout(() => finish(() => reject(new Unanswered('timeout by TCP'))), STREAM_MS);
    signal.addEventListener('abort', onAbort, { once: true });
    socket.once('error', (error) => finish(() => reject(error)));
    socket.once('close', () => finish(() => reject(new Unanswered('the TCP connection was closed'))));
    socket.once('connect', () => {
      // RFC 7766 §8: length and message in one write.
      const length = Buffer.alloc(2);
      length.writeUInt16BE(message.length);
      socket.write(Buffer.concat([length, message]));
    });
    let received = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return;
      const reply = decodeReply(received.subarray(2, 2 + received.readUInt16BE(0)), id, question);
      finish(() => (reply === undefined ? reject(new Unanswered('the answer by TCP cannot be read')) : resolve(reply)));
    });
  });
}

// RFC 8484 §4.1: POST, so that a name never stands in a URL.
async function askByHttps(url: string, question: Question, signal: AbortSignal): Promise<Reply> {
  const { id, message } = encodeQuestion(question);
  const { statusCode, body } = await request(url, {
    method: 'POST',
    headers: { 'content-type': 'application/dns-message', accept: 'application/dns-message' },
    body: message,
    signal: AbortSignal.any([signal, AbortSignal.timeout(STREAM_MS)]),
  });
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > LARGEST_MESSAGE) throw new Unanswered('the answer is too large');
    chunks.push(chunk);
  }
  if (statusCode !== 200) throw new Unanswered(`HTTP ${statusCode}`);
  const reply = decodeReply(Buffer.concat(chunks), id, question);
  if (reply === undefined) throw new Unanswered('the answer cannot be read');
  return reply;
}

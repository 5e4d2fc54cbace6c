import assert from 'node:assert/strict';
import { METHODS } from 'node:http';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import fc from 'fast-check';
import { CONNECTION_CLOSE, CONNECTION_KEEP_ALIVE, Head } from '../message/head.ts';
import { ChunkedReader } from './chunked.ts';
import { parseRequestHead } from './parse-head.ts';

// Not typed, and only for tests: the parser without the server around it.
const { HTTPParser } = createRequire(import.meta.url)('node:_http_common') as { HTTPParser: unknown };

interface Message {
  readonly method: string;
  readonly target: string;
  readonly fields: string[];
  readonly body: string;
}

const LIMITS = { headBytes: 65_536, headerCount: 200 };

/** What we read: whole messages, up to the first that is malformed or not complete. */
function readOurs(bytes: Buffer): Message[] {
  const messages: Message[] = [];
  let at = 0;
  while (at < bytes.length) {
    const head = new Head();
    const after = parseRequestHead(head, bytes, at, LIMITS);
    // llhttp knows a list of methods; RFC 9110 §9.1 has none.
    if (after <= 0 || !METHODS.includes(head.method())) break;
    at = after;
    let body = '';
    if (head.chunked) {
      const reader = new ChunkedReader();
      at = reader.read(bytes, at, bytes.length, (piece, start, end) => {
        body += piece.toString('latin1', start, end);
      });
      if (at < 0 || !reader.done) break;
    } else {
      const length = Math.max(0, head.contentLength);
      if (at + length > bytes.length) break;
      body = bytes.toString('latin1', at, at + length);
      at += length;
    }
    const fields = Array.from({ length: head.count }, (_, index) => `${head.name(index)}: ${head.value(index)}`);
    messages.push({ method: head.method(), target: head.target(), fields, body });
    // After this message the connection ends (RFC 9112 §9.6): neither of the two reads on.
    if (head.connection & CONNECTION_CLOSE || (head.version !== 1 && !(head.connection & CONNECTION_KEEP_ALIVE))) break;
  }
  return messages;
}

/** The parser that Node's own server uses. */
interface Llhttp {
  initialize(type: number, resource: object): void;
  execute(bytes: Buffer): number | Error;
  [callback: number]: (...values: never[]) => unknown;
}
const Parser = HTTPParser as {
  new (): Llhttp;
  readonly REQUEST: number;
  readonly kOnHeaders: number;
  readonly kOnHeadersComplete: number;
  readonly kOnBody: number;
  readonly kOnMessageComplete: number;
  readonly methods?: string[];
};

/** What llhttp reads, up to its first error: the second opinion. */
function readLlhttp(bytes: Buffer): Message[] {
  const messages: Message[] = [];
  const parser = new Parser();
  parser.initialize(Parser.REQUEST, {});
  let target = '';
  let fields: string[] = [];
  let body = '';
  let complete = false;
  const pairs = (flat: string[]) =>
    flat.flatMap((name, index) => (index % 2 === 0 ? [`${name}: ${flat[index + 1]}`] : []));
  parser[Parser.kOnHeaders] = (flat: string[], url: string) => {
    // After the head these are trailers, and the target comes again.
    if (complete) return;
    fields.push(...pairs(flat));
    target += url;
  };
  parser[Parser.kOnHeadersComplete] = (
    _major: number,
    _minor: number,
    flat: string[] | undefined,
    _method: number,
    url: string,
  ) => {
    if (flat !== undefined) fields.push(...pairs(flat));
    target += url ?? '';
    complete = true;
    return 0;
  };
  parser[Parser.kOnBody] = (piece: Buffer) => {
    body += piece.toString('latin1');
  };
  parser[Parser.kOnMessageComplete] = () => {
    messages.push({ method: '', target, fields, body });
    target = '';
    fields = [];
    body = '';
    complete = false;
  };
  parser.execute(bytes);
  return messages;
}

const host = fc.constantFrom('Host: a.example', 'host: a.example:8443', 'Host:a.example');
const framing = fc.constantFrom(
  'Content-Length: 5',
  'Content-Length: 0',
  'content-length:\t3',
  'Content-Length: +5',
  'Content-Length: 5, 5',
  'Content-Length: 0x5',
  'Content-Length: 5\r\nContent-Length: 5',
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: Chunked',
  'Transfer-Encoding: xchunked',
  'Transfer-Encoding : chunked',
  'Transfer-Encoding:\u000bchunked',
  'Transfer-Encoding: chunked, identity',
  'Transfer-Encoding: chunked\r\nContent-Length: 5',
  'Transfer-Encoding: identity\r\nTransfer-Encoding: chunked',
  'Transfer_Encoding: chunked',
  'X: y\r\n Transfer-Encoding: chunked',
  'Connection: close',
  'X-Long: value with spaces  \t',
  'X-High: caf\u00e9',
);
const body = fc.constantFrom(
  '',
  'hello',
  '5\r\nhello\r\n0\r\n\r\n',
  '0\r\n\r\n',
  '3;a=b\r\nabc\r\n0\r\nT: x\r\n\r\n',
  '5 \r\nhello\r\n0\r\n\r\n',
  '05\r\nhello\r\n000\r\n\r\n',
  '5\nhello\n0\n\n',
  '-1\r\n',
  'ffffffffff\r\n',
);
const message = fc
  .tuple(
    fc.constantFrom(
      'GET / HTTP/1.1',
      'POST /a?b HTTP/1.1',
      'GET  / HTTP/1.1',
      'GET / HTTP/1.0',
      'POST / http/1.1',
      'GET /\tx HTTP/1.1',
      'GET * HTTP/1.1',
      'OPTIONS * HTTP/1.1',
    ),
    fc.array(fc.oneof({ weight: 3, arbitrary: host }, { weight: 4, arbitrary: framing }), {
      minLength: 1,
      maxLength: 4,
    }),
    body,
  )
  .map(([line, fields, text]) => `${line}\r\n${fields.join('\r\n')}\r\n\r\n${text}`);
const damage = fc.array(
  fc.record({
    at: fc.nat(400),
    octet: fc.constantFrom(...'\r\n\t\0 :;,%x\u000b\u007f\u0080'),
    how: fc.constantFrom('set', 'insert', 'delete'),
  }),
  { maxLength: 3 },
);

test('what we accept, llhttp reads in the same way', () => {
  fc.assert(
    fc.property(fc.array(message, { minLength: 1, maxLength: 3 }), damage, (messages, hits) => {
      const octets = [...messages.join('')];
      for (const { at, octet, how } of hits)
        octets.splice(at % octets.length, how === 'insert' ? 0 : 1, ...(how === 'delete' ? [] : [octet]));
      const bytes = Buffer.from(octets.join(''), 'latin1');
      const ours = readOurs(bytes);
      const theirs = readLlhttp(bytes);
      assert.equal(ours.length <= theirs.length, true, `we read ${ours.length} messages, llhttp ${theirs.length}`);
      ours.forEach((own, index) => {
        const other = theirs[index]!;
        assert.equal(own.target, other.target);
        assert.equal(own.body, other.body);
        const trimmed = other.fields.slice(0, own.fields.length).map((field) => field.replace(/[ \t]+$/, ''));
        assert.deepEqual(
          own.fields.map((field) => field.replace(/[ \t]+$/, '')),
          trimmed,
        );
      });
    }),
    { numRuns: 20_000 },
  );
});

test('a message cut anywhere reads as when it came whole', () => {
  const text =
    'POST /x HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n5;e=1\r\nhello\r\nA\r\n0123456789\r\n0\r\nTrailer: yes\r\n\r\n';
  const bytes = Buffer.from(text, 'latin1');
  const head = new Head();
  for (let cut = 1; cut < bytes.length; cut++) {
    assert.equal(parseRequestHead(head, bytes.subarray(0, cut), 0, LIMITS) >= 0, true);
  }
  const bodyStart = parseRequestHead(head, bytes, 0, LIMITS);
  for (let cut = bodyStart; cut <= bytes.length; cut++) {
    const reader = new ChunkedReader();
    let read = '';
    const take = (piece: Buffer, start: number, end: number) => {
      read += piece.toString('latin1', start, end);
    };
    assert.equal(reader.read(bytes, bodyStart, cut, take), cut);
    assert.equal(reader.read(bytes, cut, bytes.length, take), bytes.length);
    assert.equal(reader.done, true);
    assert.equal(read, 'hello0123456789');
    assert.equal(reader.trailers?.value(0), 'yes');
  }
});

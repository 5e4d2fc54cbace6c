import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import fc from 'fast-check';
import { LIMITS, type Message, oddRequests, readOurs } from '../../../test/fixtures/odd-requests.ts';
import { Head } from '../message/head.ts';
import { ChunkedReader } from './chunked.ts';
import { parseRequestHead } from './parse-head.ts';

// Not typed, and only for tests: the parser without the server around it.
const { HTTPParser } = createRequire(import.meta.url)('node:_http_common') as { HTTPParser: unknown };

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

test('what we accept, llhttp reads in the same way', () => {
  fc.assert(
    fc.property(oddRequests, (bytes) => {
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
    { numRuns: Number(process.env.GATEHOUSE_FUZZ_RUNS ?? 20_000) },
  );
});

test('a message cut anywhere reads as when it came whole', () => {
  const text =
    'POST /x HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n5;e=1\r\nhello\r\nA\r\n0123456789\r\n0\r\nTrailer: yes\r\n\r\n';
  const bytes = Buffer.from(text, 'latin1');
  const head = new Head();
  const bodyStart = parseRequestHead(head, bytes, 0, bytes.length, LIMITS);
  for (let cut = 1; cut < bytes.length; cut++) {
    assert.equal(parseRequestHead(head, bytes, 0, cut, LIMITS), cut < bodyStart ? 0 : bodyStart);
  }
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

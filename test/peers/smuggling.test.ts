import assert from 'node:assert/strict';
import { type Backend, startNginxBackend, startNodeBackend } from '../fixtures/backends.ts';
import { eachEngine, talk } from '../fixtures/edge-plane.ts';
import {
  DATA,
  END_HEADERS,
  END_STREAM,
  frame,
  GOAWAY,
  HEADERS,
  literals,
  openHttp2,
  RST_STREAM,
} from '../fixtures/raw-http2.ts';
import { http1Smuggling, type SmugglingVector } from '../vectors/http1-smuggling.ts';
import { type Http2Vector, http2Smuggling } from '../vectors/http2-smuggling.ts';

// Known ways to have two readers see different requests in the same octets, through the edge to backends that share
// connections among clients: what is refused reaches none, and what passes is read there as here.

const HOST = 's.ex';
const AFTER = `GET /after HTTP/1.1\r\nHost: ${HOST}\r\nConnection: close\r\n\r\n`;

for (const start of [startNodeBackend, startNginxBackend])
  eachEngine(
    `no request is smuggled past the edge to ${start === startNodeBackend ? 'Node' : 'nginx'}`,
    async (t, startPlane, engine) => {
      const backend = await start(t);
      if (backend === undefined) return;
      const route = { id: 'r1', host: HOST, path: '/', upstreams: [{ url: backend.url }] };
      const { port } = await startPlane(t, { routes: [route], limits: { bodyMs: 2_000 } });
      for (const vector of http1Smuggling)
        await t.test(vector.name, () => tryVector(port, backend, vector, engine === 'own'));
      const secure = await startPlane(t, { routes: [route], tls: true });
      for (const vector of http2Smuggling)
        await t.test(`HTTP/2 ${vector.name}`, () => tryHttp2(secure.port, backend, vector, engine === 'own'));
    },
  );

/** What llhttp takes and we do not, though it can be read in one way only: the upstream gets it written anew. */
const TAKEN_BY_LLHTTP = ['Content-Length: 5\t', 'GET  /first', 'GET /first  HTTP/1.1'];
/** And what Node's http module refuses, though it is harmless. */
const REFUSED_BY_NODE = ['an upgrade with a body', 'trailers that would be framing'];

async function tryVector(port: number, backend: Backend, { name, octets, outcome }: SmugglingVector, isOwn: boolean) {
  const answer = await talk(port, octets.replaceAll('HOST', HOST) + AFTER);
  // Another client's request finds nothing of it on the connections that clients share.
  const probe = await talk(port, AFTER.replace('/after', '/probe'));
  assert.match(probe, /url=\/probe;/);
  const seen = backend.taken().map(({ url }) => url);
  if (!isOwn && TAKEN_BY_LLHTTP.some((text) => octets.includes(text))) {
    const answered = [...answer.matchAll(/url=([^;]+);/g)].map(([, url]) => url);
    assert.deepEqual(seen, [...answered, '/probe']);
  } else if (outcome === 'refused' || (!isOwn && REFUSED_BY_NODE.includes(name))) {
    assert.match(answer, /^HTTP\/1\.1 (4\d\d|501|505) [\s\S]*connection: close\r\n/i, answer);
    assert.equal(answer.match(/HTTP\/1\.1 /g)?.length, 1, answer);
    // What was wrong in a body shows when its head has gone on; the upstream's connection then ends with it.
    const begun = /^POST[\s\S]*Transfer-Encoding: chunked\r\n\r\n/.test(octets);
    assert.deepEqual(begun ? seen.filter((url) => url !== '/first') : seen, ['/probe']);
  } else assert.deepEqual(seen, [...outcome, '/after', '/probe']);
}

async function tryHttp2(port: number, backend: Backend, { fields, body }: Http2Vector, isOwn: boolean) {
  const connection = await openHttp2(port);
  const ask = (stream: number, asked: Http2Vector['fields'], octets?: string) => {
    const block = literals(asked.map(([name, value]) => [name, value.replaceAll('HOST', HOST)]));
    const flags = END_HEADERS | (octets === undefined ? END_STREAM : 0);
    connection.send(frame(HEADERS, flags, stream, block));
    if (octets !== undefined) connection.send(frame(DATA, END_STREAM, stream, Buffer.from(octets, 'latin1')));
    const over = [HEADERS, RST_STREAM, GOAWAY];
    return connection.next(({ type, stream: of }) => over.includes(type) && (of === stream || type === GOAWAY));
  };
  const answer = await ask(1, fields, body);
  // 0x83 … 0x8e are whole statuses of the static table; ours are 400, and 404 and 405 for what is understood.
  const isRefusal =
    answer?.type !== HEADERS || [0x8c, 0x8d].includes(answer.payload[0]!) || answer.payload.includes('40');
  // nghttp2 leaves a malformed field out and takes the rest for a request.
  assert.ok(isRefusal || !isOwn, `answered ${answer?.payload.toString('latin1')}`);
  connection.close();
  const probe = await openHttp2(port);
  const good = [':method GET', ':scheme https', `:authority ${HOST}`, ':path /probe'].map((field) => field.split(' '));
  probe.send(frame(HEADERS, END_HEADERS | END_STREAM, 1, literals(good as [string, string][])));
  const data = await probe.next(({ type }) => type === DATA);
  assert.match(String(data?.payload), /url=\/probe;/);
  probe.close();
  const seen = backend.taken().map(({ url }) => url);
  // The head of a body that is wrong has gone on before that was seen; the upstream's connection then ends.
  assert.deepEqual(body === undefined && isOwn ? seen : seen.filter((url) => url !== '/first'), ['/probe']);
}

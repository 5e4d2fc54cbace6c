/** How a message must fare: refused whole, or read as exactly these requests. */
export type Outcome = 'refused' | readonly string[];

export interface SmugglingVector {
  readonly name: string;
  /** Octets (latin1) before a plain `GET /after`. HOST stands for a served host of four characters. */
  readonly octets: string;
  readonly outcome: Outcome;
}

const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: HOST\r\n\r\n';
const post = (fields: string, body = '') => `POST /first HTTP/1.1\r\nHost: HOST\r\n${fields}\r\n\r\n${body}`;
const chunked = `0\r\n\r\n${SMUGGLED}`;
const chunks = (text: string) => post('Transfer-Encoding: chunked', text);
const refused = (name: string, octets: string): SmugglingVector => ({ name, octets, outcome: 'refused' });
const passes = (name: string, octets: string): SmugglingVector => ({ name, octets, outcome: ['/first'] });

/** Both lengths, in either order (CL.TE and TE.CL). */
const bothLengths: SmugglingVector[] = [
  refused('CL.TE', post(`Content-Length: ${chunked.length}\r\nTransfer-Encoding: chunked`, chunked)),
  refused('TE.CL', post('Transfer-Encoding: chunked\r\nContent-Length: 4', `${SMUGGLED.length.toString(16)}\r\n`)),
  refused('CL.TE, CL 0', post('Content-Length: 0\r\nTransfer-Encoding: chunked', chunked)),
];

/** Transfer-Encoding that one reader sees and another does not (TE.TE), alone and with a Content-Length. */
const CODINGS = [
  'Transfer-Encoding: xchunked',
  'Transfer-Encoding : chunked',
  'Transfer-Encoding\t: chunked',
  ' Transfer-Encoding: chunked',
  'X: y\r\n Transfer-Encoding: chunked',
  'X: y\nTransfer-Encoding: chunked',
  'X: y\rTransfer-Encoding: chunked',
  'Transfer-Encoding\n: chunked',
  'Transfer-Encoding:\n chunked',
  'Transfer-Encoding:\r\n chunked',
  'Transfer-Encoding:\u000bchunked',
  'Transfer-Encoding:\u000cchunked',
  'Transfer-Encoding: chunked\u0000',
  'Transfer-Encoding: "chunked"',
  "Transfer-Encoding: 'chunked'",
  'Transfer-Encoding: chunked, identity',
  'Transfer-Encoding: identity, chunked',
  'Transfer-Encoding: identity',
  'Transfer-Encoding: chunked;x=y',
  'Transfer-Encoding: chunked, chunked',
  'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked',
  'Transfer-Encoding: chunked\r\nTransfer-Encoding: x',
  'Transfer-Encoding: x\r\nTransfer-Encoding: chunked',
  'Transfer-Encoding:',
  'Transfer-Encoding: ,chunked',
  'Transfer_Encoding: chunked',
  'Transfer-Encoding: chunk',
  'Transfer-Encoding: \u0080chunked',
  'Transfer-Encoding: chunked\t',
  'Transfer-Encoding: cow',
  '\u0000Transfer-Encoding: chunked',
  'Foo\r\nTransfer-Encoding: chunked',
];
const hiddenCodings = CODINGS.flatMap((field) => {
  const shown = JSON.stringify(field);
  return [
    refused(`TE.TE ${shown}`, post(field, chunked)),
    refused(`TE.TE ${shown} with a length`, post(`Content-Length: ${chunked.length}\r\n${field}`, chunked)),
  ];
});

const LENGTHS = [
  'Content-Length: 5\r\nContent-Length: 5',
  'Content-Length: 5\r\nContent-Length: 6',
  'Content-Length: 5, 5',
  'Content-Length: +5',
  'Content-Length: -5',
  'Content-Length: 0x5',
  'Content-Length: 5.0',
  'Content-Length: 5e0',
  'Content-Length: 5 5',
  'Content-Length:',
  'Content-Length: 5\r\n 5',
  'Content-Length : 5',
  'Content-Length\t: 5',
  'Content-Length: 5\u000b',
  'Content-Length: 5\t',
  'Content-Length: "5"',
  'Content_Length: 5',
  'Content-Length: \u00b25',
  'Content-Length: 99999999999999999999999',
  'Content-Length: 18446744073709551621',
];
const oddLengths = LENGTHS.map((field) => refused(`length ${JSON.stringify(field)}`, post(field, `hello${SMUGGLED}`)));

/** Chunks that readers end at different places. */
const CHUNKS = [
  `0x5\r\nhello\r\n${chunked}`,
  `5 \r\nhello\r\n${chunked}`,
  ` 5\r\nhello\r\n${chunked}`,
  `+5\r\nhello\r\n${chunked}`,
  `-5\r\nhello\r\n${chunked}`,
  `5_0\r\nhello\r\n${chunked}`,
  `5\nhello\r\n${chunked}`,
  `5\r\nhello\n${chunked}`,
  `5\r\nhello${chunked}`,
  `5\r\nhello!\r\n${chunked}`,
  `5\rhello\r\n${chunked}`,
  `5;a\nb\r\nhello\r\n${chunked}`,
  `5;\n\r\nhello\r\n${chunked}`,
  `5;a=\r\rb\r\nhello\r\n${chunked}`,
  `5;a="\r\n"\r\nhello\r\n${chunked}`,
  `5;a=\u0000\r\nhello\r\n${chunked}`,
  `5,a\r\nhello\r\n${chunked}`,
  `\r\nhello\r\n${chunked}`,
  `g\r\nhello\r\n${chunked}`,
  `100000005\r\nhello\r\n${chunked}`,
  `10000000000000005\r\nhello\r\n${chunked}`,
  `0\n\n${SMUGGLED}`,
  `0\r\n\n${SMUGGLED}`,
  `0\r\nX: y\n\r\n${SMUGGLED}`,
  `0\r\nX : y\r\n\r\n${SMUGGLED}`,
  `0\r\n X: y\r\n\r\n${SMUGGLED}`,
  `0\r\nno field\r\n\r\n${SMUGGLED}`,
  `0\r\n\r\r\n${SMUGGLED}`,
];
const oddChunks = CHUNKS.map((text) => refused(`chunks ${JSON.stringify(text.slice(0, 24))}`, chunks(text)));

const HEADS = [
  `GET  /first HTTP/1.1\r\nHost: HOST\r\n\r\n`,
  `GET\t/first HTTP/1.1\r\nHost: HOST\r\n\r\n`,
  `GET /first  HTTP/1.1\r\nHost: HOST\r\n\r\n`,
  `GET /first x HTTP/1.1\r\nHost: HOST\r\n\r\n`,
  `GET /first\r\nHost: HOST\r\n\r\n`,
  `GET /first HTTP/1.1\nHost: HOST\n\n`,
  `GET /first HTTP/1.1\r\nHost: HOST\r\n\n`,
  `GET /first HTTP/1.1\r\nHost: HOST\r\n\r\r\n\r\n`,
  `GET /first HTTP/1.2\r\nHost: HOST\r\n\r\n`,
  `GET /first HTTP/0.9\r\nHost: HOST\r\n\r\n`,
  `GET /first HTTP/11\r\nHost: HOST\r\n\r\n`,
  `GET /first http/1.1\r\nHost: HOST\r\n\r\n`,
  `GET /first HTTP/1.1 \r\nHost: HOST\r\n\r\n`,
  `GET /first HTTP/1.1\r\n Host: HOST\r\n\r\n`,
  ` GET /first HTTP/1.1\r\nHost: HOST\r\n\r\n`,
  `\u0000GET /first HTTP/1.1\r\nHost: HOST\r\n\r\n`,
  `GET /first#x HTTP/1.1\r\nHost: HOST\r\n\r\n`,
  `GET /\u0001 HTTP/1.1\r\nHost: HOST\r\n\r\n`,
  `GET first HTTP/1.1\r\nHost: HOST\r\n\r\n`,
  `GET http://other.test/first HTTP/1.1\r\nHost: HOST\r\n\r\n`,
  `GET http://HOST@other.test/first HTTP/1.1\r\nHost: HOST\r\n\r\n`,
  `GET /first HTTP/1.1\r\nHost: HOST\r\nHost: HOST\r\n\r\n`,
  `GET /first HTTP/1.1\r\nHost: HOST\r\nhost: other.test\r\n\r\n`,
  `GET /first HTTP/1.1\r\nHost: HOST, other.test\r\n\r\n`,
  `GET /first HTTP/1.1\r\nHost: other.test@HOST\r\n\r\n`,
  `GET /first HTTP/1.1\r\nHost: HOST/\r\n\r\n`,
  `GET /first HTTP/1.1\r\nHost: HOST:x\r\n\r\n`,
  `GET /first HTTP/1.1\r\nHost: HOST other.test\r\n\r\n`,
  `GET /first HTTP/1.1\r\nHost:\r\n\r\n`,
  `GET /first HTTP/1.1\r\nX: y\r\n\r\n`,
  `GET /first HTTP/1.1\r\nHost : HOST\r\n\r\n`,
  `GET /first HTTP/1.1\r\nHost: HOST\r\nX: a\u0000b\r\n\r\n`,
  `GET /first HTTP/1.1\r\nHost: HOST\r\nX: a\rb\r\n\r\n`,
  `GET /first HTTP/1.1\r\nHost: HOST\r\nX: a\nb: c\r\n\r\n`,
  `GET /first HTTP/1.1\r\nHost: HOST\r\n: nameless\r\n\r\n`,
  `GET /first HTTP/1.1\r\nHost: HOST\r\nX\u0080: y\r\n\r\n`,
  `GET /first HTTP/1.1\r\nHost: HOST\r\nX(y): z\r\n\r\n`,
  `GET /first HTTP/1.0\r\nHost: HOST\r\nTransfer-Encoding: chunked\r\n\r\n${chunked}`,
  `GET /first HTTP/1.1\r\nHost: HOST\r\nConnection: Transfer-Encoding\r\nTransfer-Encoding: chunked\r\n\r\n${chunked}`,
  post('Connection: content-length\r\nContent-Length: 5', `hello`),
  `CONNECT HOST:443 HTTP/1.1\r\nHost: HOST:443\r\n\r\n`,
];
const oddHeads = HEADS.map((octets) => refused(`head ${JSON.stringify(octets.slice(0, 60))}`, octets));

const SMUGGLED_LENGTH = `Content-Length: ${SMUGGLED.length}`;

/** Good messages that only a careless reader ends elsewhere: what looks like a request is a body. */
const bodies: SmugglingVector[] = [
  passes('CL.0: a body that looks like a request', post(SMUGGLED_LENGTH, SMUGGLED)),
  passes('0.CL: a GET with such a body', post(SMUGGLED_LENGTH, SMUGGLED).replace('POST', 'GET')),
  passes('a chunk that looks like a request', chunks(`${SMUGGLED.length.toString(16)}\r\n${SMUGGLED}\r\n0\r\n\r\n`)),
  passes('Expect with a body at once', post(`Expect: 100-continue\r\n${SMUGGLED_LENGTH}`, SMUGGLED)),
  passes(
    'an upgrade to h2c is not followed',
    post('Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk'),
  ),
  passes(
    'an upgrade that the upstream does not follow',
    post('Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 777'),
  ),
  passes('an upgrade with a body', post(`Connection: Upgrade\r\nUpgrade: websocket\r\n${SMUGGLED_LENGTH}`, SMUGGLED)),
  passes('trailers that would be framing', chunks('0\r\nContent-Length: 50\r\nTransfer-Encoding: x\r\n\r\n')),
  passes('a chunk extension', chunks('5;a=b;c="d"\r\nhello\r\n0\r\n\r\n')),
  passes('a tab before a coding', post('Transfer-Encoding:\tchunked', '0\r\n\r\n')),
  passes('absolute form', 'GET http://HOST/first HTTP/1.1\r\nHost: HOST\r\n\r\n'),
];

/** Expectations that a server might pass over, and then wait for a body or not. */
const expectations = ['y 100-continue', '100-continue, x', '100'].map((value) => ({
  name: `Expect: ${value}`,
  octets: post(`Expect: ${value}\r\n${SMUGGLED_LENGTH}`, SMUGGLED),
  outcome: 'refused' as const,
}));

/** Refused for what they ask, not for how they are written: the next request is read. */
const askedAmiss = ['host', 'cookie', 'authorization'].map((name) => ({
  name: `Connection names ${name}`,
  octets: `GET /first HTTP/1.1\r\nHost: HOST\r\nConnection: ${name}\r\nCookie: a=b\r\nAuthorization: c\r\n\r\n`,
  outcome: [],
}));

export const http1Smuggling: readonly SmugglingVector[] = [
  ...bothLengths,
  ...hiddenCodings,
  ...oddLengths,
  ...oddChunks,
  ...oddHeads,
  ...expectations,
  ...askedAmiss,
  ...bodies,
];

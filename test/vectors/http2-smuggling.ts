/** Fields of a request, and a body or none, that a translation to HTTP/1.1 must not pass on. */
export interface Http2Vector {
  readonly name: string;
  readonly fields: readonly (readonly [string, string])[];
  readonly body?: string;
}

type Field = readonly [string, string];

const PSEUDO: readonly Field[] = [
  [':method', 'GET'],
  [':scheme', 'https'],
  [':authority', 'HOST'],
  [':path', '/first'],
];
const SMUGGLED = 'GET /smuggled HTTP/1.1\r\nHost: HOST\r\n\r\n';
const shown = (field: Field) => JSON.stringify(field.join(': '));

/** A good request with one more field. */
const withField = (...field: Field): Http2Vector => ({ name: shown(field), fields: [...PSEUDO, field] });
/** A good request with one pseudo-field as it should not be. */
const withPseudo = (name: string, value: string): Http2Vector => ({
  name: shown([name, value]),
  fields: PSEUDO.map((field) => (field[0] === name ? [name, value] : field)),
});
const post = (name: string, fields: readonly Field[], body: string): Http2Vector => ({
  name,
  fields: [...PSEUDO.map((field): Field => (field[0] === ':method' ? [':method', 'POST'] : field)), ...fields],
  body,
});

export const http2Smuggling: readonly Http2Vector[] = [
  // H2.CL: a length that is not the body's.
  post('H2.CL: shorter', [['content-length', '5']], `hello${SMUGGLED}`),
  post('H2.CL: 0', [['content-length', '0']], SMUGGLED),
  post('H2.CL: longer', [['content-length', '500']], 'hello'),
  ...['5, 5', '+5', '0x5', '5 5', '', '-5', '99999999999999999999'].map((value) =>
    post(`H2.CL: ${JSON.stringify(value)}`, [['content-length', value]], 'hello'),
  ),
  post(
    'H2.CL: twice',
    [
      ['content-length', '5'],
      ['content-length', '5'],
    ],
    'hello',
  ),
  // H2.TE and the other fields of a connection (RFC 9113 §8.2.2).
  post('H2.TE', [['transfer-encoding', 'chunked']], `0\r\n\r\n${SMUGGLED}`),
  post('H2.TE: identity', [['transfer-encoding', 'identity']], SMUGGLED),
  withField('connection', 'keep-alive'),
  withField('connection', 'transfer-encoding'),
  withField('upgrade', 'h2c'),
  withField('keep-alive', '5'),
  withField('proxy-connection', 'close'),
  withField('te', 'gzip'),
  withField('te', 'trailers, chunked'),
  // Lines inside values and names.
  withField('x', 'a\r\nTransfer-Encoding: chunked'),
  withField('x', 'a\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: HOST'),
  withField('x', 'a\nb: c'),
  withField('x', 'a\rb: c'),
  withField('x', 'a\u0000b'),
  withField('x', ' a'),
  withField('x', 'a '),
  withField('x', '\ta'),
  withField('x\r\ntransfer-encoding', 'chunked'),
  withField('x: y\r\nz', 'a'),
  withField('transfer-encoding: chunked\r\nx', 'a'),
  withField('x y', 'a'),
  withField('x:', 'a'),
  withField('', 'a'),
  withField('X', 'upper case'),
  withField('Transfer-Encoding', 'chunked'),
  withField('x\u0080', 'a'),
  withField('x\u0000', 'a'),
  // Pseudo-fields that would change the request line or the host.
  withPseudo(':method', 'GET / HTTP/1.1\r\nHost: HOST\r\n\r\nGET'),
  withPseudo(':method', 'GET /smuggled'),
  withPseudo(':method', ''),
  withPseudo(':path', '/ HTTP/1.1\r\nHost: HOST\r\n\r\nGET /smuggled'),
  withPseudo(':path', '/first HTTP/1.1'),
  withPseudo(':path', '/a\tb'),
  withPseudo(':path', '/a#b'),
  withPseudo(':path', 'first'),
  withPseudo(':path', 'https://HOST/first'),
  withPseudo(':path', '*'),
  withPseudo(':path', ''),
  withPseudo(':authority', 'HOST\r\nX: y'),
  withPseudo(':authority', 'HOST/other'),
  withPseudo(':authority', 'user@HOST'),
  withPseudo(':authority', 'HOST other'),
  withPseudo(':authority', 'HOST, other'),
  withPseudo(':scheme', 'https://other/x?'),
  withPseudo(':scheme', 'https\r\nX: y'),
  withField(':method', 'POST'),
  withField(':path', '/smuggled'),
  withField(':authority', 'other'),
  withField(':protocol', 'websocket'),
  withField(':status', '200'),
  withField(':x', 'y'),
  withField('host', 'other'),
  { name: 'a pseudo-field after a field', fields: [['x', 'y'], ...PSEUDO] },
  ...[':method', ':scheme', ':path'].map((missing) => ({
    name: `without ${missing}`,
    fields: PSEUDO.filter(([name]) => name !== missing),
  })),
  { name: 'without a host', fields: PSEUDO.filter(([name]) => name !== ':authority') },
  {
    name: 'CONNECT',
    fields: [
      [':method', 'CONNECT'],
      [':authority', 'HOST:443'],
    ],
  },
];

/** Ways a message can be wrong, each with the answer it gets from us. Parsers return these as negative numbers. */
export const BAD_REQUEST_LINE = -1;
export const BAD_TARGET = -2;
export const BAD_VERSION = -3;
export const BAD_FIELD_NAME = -4;
export const BAD_FIELD_VALUE = -5;
export const BAD_LINE_END = -6;
export const FOLDED_LINE = -7;
export const BAD_HOST = -8;
export const BAD_LENGTH = -9;
export const BAD_CODING = -10;
export const UNKNOWN_CODING = -11;
export const TOO_MANY_FIELDS = -12;
export const HEAD_TOO_LARGE = -13;
export const BAD_STATUS_LINE = -14;
export const BAD_CHUNK = -15;
export const BAD_EXPECTATION = -16;
export const BAD_CONNECTION = -17;
export const METHOD_REFUSED = -18;

export interface Malformation {
  readonly status: number;
  /** For the log and the answer's body. */
  readonly detail: string;
}

const MALFORMATIONS: Readonly<Record<number, Malformation>> = {
  [BAD_REQUEST_LINE]: { status: 400, detail: 'the request line is malformed' },
  [BAD_TARGET]: { status: 400, detail: 'the request target is malformed' },
  [BAD_VERSION]: { status: 505, detail: 'the HTTP version is not supported' },
  [BAD_FIELD_NAME]: { status: 400, detail: 'a field name is malformed' },
  [BAD_FIELD_VALUE]: { status: 400, detail: 'a field value has a control character' },
  [BAD_LINE_END]: { status: 400, detail: 'a line does not end with CR LF' },
  [FOLDED_LINE]: { status: 400, detail: 'a field line is folded' },
  [BAD_HOST]: { status: 400, detail: 'Host is missing, repeated or malformed' },
  [BAD_LENGTH]: { status: 400, detail: 'Content-Length is repeated, malformed or contradicted' },
  [BAD_CODING]: { status: 400, detail: 'Transfer-Encoding is repeated, malformed or contradicted' },
  [UNKNOWN_CODING]: { status: 501, detail: 'the transfer coding is not supported' },
  [TOO_MANY_FIELDS]: { status: 431, detail: 'there are too many fields' },
  [HEAD_TOO_LARGE]: { status: 431, detail: 'the head is too large' },
  [BAD_STATUS_LINE]: { status: 502, detail: 'the status line is malformed' },
  [BAD_CHUNK]: { status: 400, detail: 'the chunked body is malformed' },
  [BAD_EXPECTATION]: { status: 417, detail: 'the expectation is not supported' },
  [BAD_CONNECTION]: { status: 400, detail: 'Connection is malformed' },
  [METHOD_REFUSED]: { status: 405, detail: 'the method is not allowed here' },
};

export function malformation(code: number): Malformation {
  return MALFORMATIONS[code] ?? { status: 400, detail: 'the message is malformed' };
}

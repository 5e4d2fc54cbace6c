import { randomInt } from 'node:crypto';
import packet from 'dns-packet';

/** Types that we ask for. */
export type QuestionType = 'A' | 'AAAA' | 'CNAME' | 'NS' | 'SOA' | 'TXT' | 'CAA';

export interface Question {
  /** Without trailing dot; `''` is the root. */
  readonly name: string;
  readonly type: QuestionType;
  /** Ask the server to resolve (a resolver), or for what it knows itself (a name server of the zone). */
  readonly recurse: boolean;
  /** CD (RFC 4035 §3.2.2): answer without validating. */
  readonly uncheck?: boolean;
}

/** One record, its data as text: addresses, names without trailing dot and in lower case, TXT strings joined. */
export type DnsRecord =
  | { readonly type: 'A' | 'AAAA' | 'CNAME' | 'NS' | 'TXT'; readonly name: string; readonly data: string }
  | { readonly type: 'SOA'; readonly name: string; readonly data: string; readonly minimum: number }
  | {
      readonly type: 'CAA';
      readonly name: string;
      readonly data: string;
      readonly critical: boolean;
      readonly tag: string;
    };

export interface Reply {
  /** `NOERROR`, `NXDOMAIN`, `SERVFAIL`, `REFUSED`, … (RFC 1035 §4.1.1). */
  readonly rcode: string;
  readonly authoritative: boolean;
  /** AD: the resolver validated it (RFC 4035 §3.2.3). */
  readonly authenticated: boolean;
  readonly truncated: boolean;
  readonly answers: readonly DnsRecord[];
  readonly authority: readonly DnsRecord[];
  readonly additional: readonly DnsRecord[];
}

// RFC 9715: what fits the smallest common path without fragments.
const UDP_PAYLOAD = 1232;

export function encodeQuestion(question: Question): { id: number; message: Buffer } {
  const id = randomInt(0x10000);
  const flags =
    (question.recurse ? packet.RECURSION_DESIRED : 0) |
    // AD in a question asks for AD in the answer (RFC 6840 §5.7).
    packet.AUTHENTIC_DATA |
    (question.uncheck === true ? packet.CHECKING_DISABLED : 0);
  const message = packet.encode({
    type: 'query',
    id,
    flags,
    questions: [{ type: question.type, name: question.name === '' ? '.' : question.name, class: 'IN' }],
    additionals: [
      {
        type: 'OPT',
        name: '.',
        udpPayloadSize: UDP_PAYLOAD,
        extendedRcode: 0,
        ednsVersion: 0,
        flags: 0,
        flag_do: false,
        options: [],
      },
    ],
  });
  return { id, message };
}

/** The reply to that question, or undefined when these bytes are not one: a stranger's datagram proves nothing. */
export function decodeReply(bytes: Buffer, id: number, question: Question): Reply | undefined {
  let decoded: packet.DecodedPacket;
  try {
    decoded = packet.decode(bytes);
  } catch {
    return undefined;
  }
  if (decoded.id !== id || decoded.type !== 'response') return undefined;
  const rcode = rcodeOf(bytes);
  const [echo] = decoded.questions ?? [];
  // A server that could not read the question (FORMERR) may leave it out.
  if (echo !== undefined && (echo.type !== question.type || canonical(echo.name) !== canonical(question.name)))
    return undefined;
  if (echo === undefined && rcode === 'NOERROR') return undefined;
  return {
    rcode,
    authoritative: decoded.flag_aa,
    authenticated: decoded.flag_ad,
    truncated: decoded.flag_tc,
    answers: records(decoded.answers),
    authority: records(decoded.authorities),
    additional: records(decoded.additionals),
  };
}

// RFC 1035 §4.1.1 and RFC 2136 §2.2.
const RCODES = [
  'NOERROR',
  'FORMERR',
  'SERVFAIL',
  'NXDOMAIN',
  'NOTIMP',
  'REFUSED',
  'YXDOMAIN',
  'YXRRSET',
  'NXRRSET',
  'NOTAUTH',
  'NOTZONE',
];

/** The response code of a message of at least a header's length. */
export function rcodeOf(message: Buffer): string {
  const code = message.readUInt8(3) & 0x0f;
  return RCODES[code] ?? `RCODE${code}`;
}

const MOST_RECORDS = 500;

const records = (answers: readonly packet.Answer[] | undefined): DnsRecord[] =>
  (answers ?? []).slice(0, MOST_RECORDS).flatMap((answer) => recordOf(answer) ?? []);

function recordOf(answer: packet.Answer): DnsRecord | undefined {
  const name = canonical(answer.name);
  switch (answer.type) {
    case 'A':
    case 'AAAA':
      return { type: answer.type, name, data: answer.data };
    case 'CNAME':
    case 'NS':
      return { type: answer.type, name, data: canonical(answer.data) };
    case 'TXT':
      return { type: 'TXT', name, data: [answer.data].flat().map(String).join('') };
    case 'SOA':
      return { type: 'SOA', name, data: canonical(answer.data.mname), minimum: answer.data.minimum ?? 0 };
    case 'CAA': {
      const { tag, value, flags = 0 } = answer.data;
      return { type: 'CAA', name, data: value, critical: (flags & 0x80) !== 0, tag: String(tag).toLowerCase() };
    }
    default:
      return undefined;
  }
}

/** Lower case, no trailing dot; the root is `''`. */
export const canonical = (name: string): string => name.replace(/\.$/, '').toLowerCase();

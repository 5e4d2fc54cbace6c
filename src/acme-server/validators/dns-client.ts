import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { getServers } from 'node:dns';
import { connect, isIP } from 'node:net';
import { type Answer, decode, encode, type Packet, RECURSION_DESIRED } from 'dns-packet';
import { errorText } from '../../base/index.ts';
import { parseHostPort } from '../profile.ts';
import { Refusal } from '../refusal.ts';

export type RecordType = 'A' | 'AAAA' | 'TXT' | 'CAA' | 'NS' | 'SOA' | 'CNAME';

export interface DnsAnswer {
  /** Records of the type that was asked for, CNAMEs followed. */
  readonly records: readonly Answer[];
  /** Names that were passed through, the asked one first. */
  readonly path: readonly string[];
  readonly exists: boolean;
}

export interface DnsClient {
  query(name: string, type: RecordType, signal: AbortSignal): Promise<DnsAnswer>;
}

const MOST_ALIASES = 10;
const ATTEMPT_MS = 2_500;
const MOST_TCP_BYTES = 65_535;

/** Asks recursive resolvers in turn, over UDP with TCP when an answer is cut; follows CNAMEs, ten at most. */
export function createDnsClient(resolvers: readonly string[], { recursion = true } = {}): DnsClient {
  return {
    async query(name, type, signal) {
      const servers = (resolvers.length > 0 ? resolvers : getServers()).map(serverOf);
      const path = [name.replace(/\.$/, '')];
      for (;;) {
        if (!canBeAsked(path.at(-1)!))
          throw dnsProblem(
            name,
            type,
            `${JSON.stringify(path.at(-1)!.slice(0, 300))} is no name that can be asked for`,
          );
        const packet = await askAny(servers, { name: path.at(-1)!, type, recursion }, signal);
        const { found, end } = follow(packet.answers ?? [], path, type);
        if (found.length > 0 || end === path.at(-1)) {
          return { records: found, path, exists: rcodeOf(packet) !== 'NXDOMAIN' };
        }
        path.push(end);
        if (path.length > MOST_ALIASES) throw dnsProblem(name, type, 'more than ten CNAMEs, one after another');
      }
    },
  };
}

/** Labels of 1 to 63 bytes, 253 in all (RFC 1035 §2.3.4): a redirect or an alias may say anything. */
const canBeAsked = (name: string): boolean =>
  /^[\x21-\x7e]{1,253}$/.test(name) && /^[^.]{1,63}(\.[^.]{1,63})*$/.test(name);

function serverOf(text: string): { host: string; port: number } {
  return isIP(text) !== 0 ? { host: text, port: 53 } : parseHostPort(text);
}

/** Walks the aliases inside one answer; `path` grows by those that were passed. */
function follow(answers: readonly Answer[], path: string[], type: RecordType): { found: Answer[]; end: string } {
  let at = path.at(-1)!.toLowerCase();
  for (let step = 0; step <= MOST_ALIASES; step++) {
    const here = answers.filter(({ name }) => name.toLowerCase().replace(/\.$/, '') === at);
    const found = here.filter((answer) => answer.type === type);
    if (found.length > 0) return { found, end: at };
    const alias = here.find((answer) => answer.type === 'CNAME');
    if (alias?.type !== 'CNAME') return { found: [], end: at };
    at = alias.data.toLowerCase().replace(/\.$/, '');
    if (path.includes(at)) throw dnsProblem(path[0]!, type, 'its CNAMEs go round in a circle');
    if (answers.some(({ name }) => name.toLowerCase().replace(/\.$/, '') === at)) path.push(at);
  }
  return { found: [], end: at };
}

interface Question {
  readonly name: string;
  readonly type: RecordType;
  readonly recursion: boolean;
}

async function askAny(
  servers: readonly { host: string; port: number }[],
  question: Question,
  signal: AbortSignal,
): Promise<Packet> {
  let last: unknown = new Error('no DNS resolver is configured');
  for (let attempt = 0; attempt < Math.max(2, servers.length) && servers.length > 0; attempt++) {
    signal.throwIfAborted();
    try {
      const packet = await ask(servers[attempt % servers.length]!, question, signal);
      const rcode = rcodeOf(packet);
      if (rcode === 'NOERROR' || rcode === 'NXDOMAIN') return packet;
      last = new Error(`the resolver answered ${rcode}`);
    } catch (error) {
      last = error;
    }
  }
  throw dnsProblem(question.name, question.type, errorText(last), last);
}

const RCODES = ['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED'];
// dns-packet's types leave out the response code, which is in the low bits of the flags.
const rcodeOf = (packet: Packet): string => RCODES[(packet.flags ?? 0) & 0xf] ?? 'an unknown error';

async function ask(
  server: { host: string; port: number },
  { name, type, recursion }: Question,
  signal: AbortSignal,
): Promise<Packet> {
  const query: Packet = {
    type: 'query',
    id: randomInt(0x10000),
    flags: recursion ? RECURSION_DESIRED : 0,
    questions: [{ type, name }],
    additionals: [
      // EDNS with 1232 bytes: no fragments (DNS flag day 2020). DO asks the resolver to validate and say so.
      {
        type: 'OPT',
        name: '.',
        udpPayloadSize: 1232,
        extendedRcode: 0,
        ednsVersion: 0,
        flags: 0,
        flag_do: false,
        options: [],
      },
    ],
  };
  const bounded = AbortSignal.any([signal, AbortSignal.timeout(ATTEMPT_MS)]);
  const answer = await overUdp(server, query, bounded);
  return answer.flag_tc === true ? overTcp(server, query, bounded) : answer;
}

/** Whether the packet answers this question: id and question must come back (RFC 5452 §9.1). */
function answersTo(packet: Packet & { flag_qr?: boolean }, query: Packet): boolean {
  const [asked] = query.questions ?? [];
  const [echoed, ...more] = packet.questions ?? [];
  return (
    packet.type === 'response' &&
    packet.id === query.id &&
    more.length === 0 &&
    echoed?.type === asked?.type &&
    echoed?.name.toLowerCase() === asked?.name.toLowerCase()
  );
}

function overUdp(
  { host, port }: { host: string; port: number },
  query: Packet,
  signal: AbortSignal,
): Promise<Packet & { flag_tc?: boolean }> {
  return new Promise((resolve, reject) => {
    const socket = createSocket({ type: isIP(host) === 6 ? 'udp6' : 'udp4' });
    const finish = (settle: () => void) => {
      signal.removeEventListener('abort', onAbort);
      socket.close();
      settle();
    };
    const onAbort = () => finish(() => reject(new Error('the resolver did not answer in time')));
    if (signal.aborted) return onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    socket.once('error', (error) => finish(() => reject(error)));
    socket.on('message', (message) => {
      const packet = safeDecode(message);
      // Strays and forgeries are not answers; the true one may still come.
      if (packet !== undefined && answersTo(packet, query)) finish(() => resolve(packet));
    });
    // A connected socket receives from this server only.
    socket.connect(port, host, () => socket.send(encode(query)));
  });
}

function overTcp({ host, port }: { host: string; port: number }, query: Packet, signal: AbortSignal): Promise<Packet> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, signal });
    const chunks: Buffer[] = [];
    let length = 0;
    let end: number | undefined;
    socket.on('error', reject);
    socket.on('connect', () => {
      const message = encode(query);
      const prefix = Buffer.alloc(2);
      prefix.writeUInt16BE(message.length);
      socket.write(Buffer.concat([prefix, message]));
    });
    socket.on('close', () => reject(new Error('the resolver closed the connection')));
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      length += chunk.length;
      if (length > MOST_TCP_BYTES + 2) socket.destroy(new Error('an answer too long'));
      if (length < 2) return;
      // Joined once at the beginning and once at the end: an answer may come byte by byte.
      if (end === undefined) end = 2 + Buffer.concat(chunks).readUInt16BE(0);
      if (length < end) return;
      const packet = safeDecode(Buffer.concat(chunks).subarray(2, end));
      socket.destroy();
      if (packet !== undefined && answersTo(packet, query)) resolve(packet);
      else reject(new Error('the resolver sent no answer to the question'));
    });
  });
}

function safeDecode(message: Buffer): Packet | undefined {
  try {
    return decode(message);
  } catch {
    return undefined;
  }
}

function dnsProblem(name: string, type: RecordType, why: string, cause?: unknown): Refusal {
  return new Refusal('dns', `DNS query for ${type} of ${name}: ${why}`, {}, cause);
}

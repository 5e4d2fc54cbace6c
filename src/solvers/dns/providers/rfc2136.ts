import { connect } from 'node:net';
import { errorText, Fault } from '../../../base/index.ts';
import { parseServerAddress, type ServerAddress } from '../../../dns/index.ts';
import { type OpenProvider, type ProviderZone, TXT_TTL_SECONDS, zoneCandidates } from '../provider.ts';
import { decodeUpdateAnswer, encodeUpdate, type TsigKey, type TxtChange } from '../update-message.ts';

const UPDATE_MS = 10_000;
const TSIG_ERRORS: Record<number, string> = {
  16: 'the signature is wrong (BADSIG): is the secret the same on both sides?',
  17: 'it does not know the key (BADKEY): are name and algorithm the same on both sides?',
  18: 'its clock and ours differ by more than five minutes (BADTIME)',
};

export const openRfc2136: OpenProvider<'rfc2136'> = (fields, { ask, clock }) => {
  const server = parseServerAddress(fields.nameserver, 'fields.nameserver');
  if (server.kind !== 'plain') throw invalid('nameserver', 'nameserver is host:port, where host is an IP address');
  const secret = Buffer.from(fields.tsig_secret, 'base64');
  if (secret.length === 0) throw invalid('tsig_secret', 'tsig_secret is not base64');
  const key: TsigKey = { name: fields.tsig_name, algorithm: fields.tsig_algorithm, secret };

  async function update(zone: ProviderZone, change: TxtChange, signal: AbortSignal): Promise<void> {
    const { message, mac, id } = encodeUpdate(zone.name, change, key, clock.now());
    const answer = decodeUpdateAnswer(await exchange(server as PlainServer, message, signal), { id, mac }, key);
    if (answer.kind === 'answered' && answer.rcode === 'NOERROR') return;
    throw refusal(fields.nameserver, zone, answer);
  }

  return {
    async zoneOf(name, signal) {
      for (const candidate of zoneCandidates(name)) {
        const reply = await ask(server, { name: candidate, type: 'SOA', recurse: false }, signal);
        const soa = [...reply.answers, ...reply.authority].find((record) => record.type === 'SOA');
        if (reply.authoritative && soa !== undefined && `.${name}`.endsWith(`.${soa.name}`))
          return { name: soa.name, ref: soa.name };
      }
      return undefined;
    },
    async add(zone, record, signal) {
      await update(zone, { action: 'add', ...record, ttl: TXT_TTL_SECONDS }, signal);
      return undefined;
    },
    remove: (zone, record, _ref, signal) => update(zone, { action: 'delete', ...record, ttl: 0 }, signal),
  };
};

type PlainServer = Extract<ServerAddress, { kind: 'plain' }>;

/** One message over TCP (RFC 2136 §2.1 allows either; TCP is never cut off nor lost). */
function exchange({ host, port }: PlainServer, message: Buffer, signal: AbortSignal): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, signal: AbortSignal.any([signal, AbortSignal.timeout(UPDATE_MS)]) });
    const fail = (error: unknown) => {
      socket.destroy();
      if (signal.aborted) return reject(signal.reason);
      reject(
        new Fault(
          {
            code: 'dns_provider_unreachable',
            detail: `${host}:${port} does not answer the update: ${errorText(error)}`,
            party: 'dns-provider',
            retry: 'backoff',
          },
          error,
        ),
      );
    };
    socket.once('error', fail);
    socket.once('close', () => fail(new Error('the connection was closed')));
    socket.once('connect', () => {
      const length = Buffer.alloc(2);
      length.writeUInt16BE(message.length);
      socket.write(Buffer.concat([length, message]));
    });
    let received = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < 2 || received.length < 2 + received.readUInt16BE(0)) return;
      resolve(received.subarray(2, 2 + received.readUInt16BE(0)));
      socket.removeAllListeners('close').destroy();
    });
  });
}

function refusal(server: string, zone: ProviderZone, answer: ReturnType<typeof decodeUpdateAnswer>): Fault {
  const details = { party: 'dns-provider', retry: 'backoff' } as const;
  if (answer.kind === 'unreadable')
    return new Fault({ ...details, code: 'dns_provider_refused', detail: `the answer of ${server} cannot be read` });
  const tsig = answer.kind === 'unsigned' ? TSIG_ERRORS[answer.tsigError] : undefined;
  if (tsig !== undefined || answer.rcode === 'NOTAUTH')
    return new Fault({
      ...details,
      retry: 'never',
      code: 'dns_credential_refused',
      detail: `${server} refuses the TSIG key: ${tsig ?? 'NOTAUTH'}`,
    });
  if (answer.rcode === 'NOERROR')
    return new Fault({ ...details, code: 'dns_provider_refused', detail: `the answer of ${server} is not signed` });
  return new Fault({
    ...details,
    code: 'dns_provider_refused',
    detail: `${server} refuses the update of ${zone.name}: ${answer.rcode}`,
    ...(answer.rcode === 'REFUSED' && {
      advice: 'allow the key to change TXT records of the zone (allow-update, update-policy or acl)',
    }),
  });
}

function invalid(field: string, detail: string): Fault {
  return new Fault({
    code: 'invalid_fields',
    detail,
    party: 'client',
    retry: 'never',
    field: `fields.${field}`,
    status: 422,
  });
}

import { Fault } from '../../../base/index.ts';
import { signAws } from '../aws-signature.ts';
import type { ProviderAnswer } from '../http.ts';
import { type OpenProvider, type ProviderZone, quoted, TXT_TTL_SECONDS, type TxtRecord } from '../provider.ts';
import { changeValues, unquoted, withoutValue, withValue } from '../rrset.ts';

const VERSION = '/2013-04-01';
const NAMESPACE = 'https://route53.amazonaws.com/doc/2013-04-01/';
const MOST_PAGES = 100;
const MOST_POLLS = 60;

// https://docs.aws.amazon.com/Route53/latest/APIReference/
export const openRoute53: OpenProvider<'route53'> = (fields, { http, clock }) => {
  const keys = {
    accessKeyId: fields.access_key_id,
    secretAccessKey: fields.secret_access_key,
    sessionToken: fields.session_token,
  };

  async function call(method: 'GET' | 'POST', path: string, signal: AbortSignal, body = ''): Promise<ProviderAnswer> {
    const url = `${fields.endpoint}${VERSION}${path}`;
    const signed = signAws({ method, url, body, service: 'route53', region: fields.region }, keys, clock.now());
    const headers = { accept: 'application/xml', ...(body !== '' && { 'content-type': 'application/xml' }), ...signed };
    const answer = await http(url, { method, headers, body: body || undefined, signal, accept: [400, 403] });
    if (answer.status < 400 || inner(answer.text, 'Code') === 'InvalidChangeBatch') return answer;
    throw refusal(answer);
  }

  async function read(
    zone: ProviderZone,
    name: string,
    signal: AbortSignal,
  ): Promise<{ values: string[]; ttl: number } | undefined> {
    const query = new URLSearchParams({ name: `${name}.`, type: 'TXT', maxitems: '1' });
    const { text } = await call('GET', `/hostedzone/${zone.ref}/rrset?${query}`, signal);
    const set = all(text, 'ResourceRecordSet').find(
      (one) => inner(one, 'Name') === `${name}.` && inner(one, 'Type') === 'TXT',
    );
    if (set === undefined) return undefined;
    return { values: all(set, 'Value').map((value) => unquoted(fromXml(value))), ttl: Number(inner(set, 'TTL')) };
  }

  async function change(
    zone: ProviderZone,
    { name }: TxtRecord,
    how: (values: readonly string[]) => readonly string[],
    signal: AbortSignal,
  ): Promise<void> {
    let ttl: number | undefined;
    await changeValues(clock, signal, {
      async read() {
        const set = await read(zone, name, signal);
        ttl = set?.ttl;
        return set?.values ?? [];
      },
      change: how,
      async swap(before, after) {
        // One batch is all or nothing, and its DELETE must match what is there: a change in between refuses it.
        const changes = [
          ...(before.length > 0 ? [changeXml('DELETE', name, before, ttl ?? TXT_TTL_SECONDS)] : []),
          ...(after.length > 0 ? [changeXml('CREATE', name, after, TXT_TTL_SECONDS)] : []),
        ];
        const body =
          `<?xml version="1.0" encoding="UTF-8"?>\n<ChangeResourceRecordSetsRequest xmlns="${NAMESPACE}">` +
          `<ChangeBatch><Changes>${changes.join('')}</Changes></ChangeBatch></ChangeResourceRecordSetsRequest>`;
        const answer = await call('POST', `/hostedzone/${zone.ref}/rrset/`, signal, body);
        if (answer.status === 400) return false;
        await inSync(answer.text, signal);
        return true;
      },
    });
  }

  /** Route 53 says itself when all its servers have a change. */
  async function inSync(text: string, signal: AbortSignal): Promise<void> {
    const id = inner(text, 'Id')?.replace(/^\/change\//, '') ?? '';
    let status = inner(text, 'Status');
    for (let polls = 0; status !== 'INSYNC' && polls < MOST_POLLS; polls++) {
      await clock.sleep(2_000, signal);
      status = inner((await call('GET', `/change/${encodeURIComponent(id)}`, signal)).text, 'Status');
    }
  }

  return {
    async zones(signal, name) {
      if (fields.hosted_zone_id !== undefined) {
        const { text } = await call('GET', `/hostedzone/${encodeURIComponent(fields.hosted_zone_id)}`, signal);
        return all(text, 'HostedZone').map(zoneOf);
      }
      const zones: ProviderZone[] = [];
      let from = name === undefined ? '' : `&dnsname=${encodeURIComponent(`${name}.`)}`;
      for (let page = 0; page < MOST_PAGES; page++) {
        const { text } = await call('GET', `/hostedzonesbyname?maxitems=100${from}`, signal);
        // A private zone is seen by its own networks only, and by no CA.
        zones.push(
          ...all(text, 'HostedZone')
            .filter((zone) => inner(zone, 'PrivateZone') !== 'true')
            .map(zoneOf),
        );
        if (name !== undefined || inner(text, 'IsTruncated') !== 'true') break;
        const next = { dnsname: inner(text, 'NextDNSName') ?? '', hostedzoneid: inner(text, 'NextHostedZoneId') ?? '' };
        from = `&${new URLSearchParams(next)}`;
      }
      return zones;
    },
    async add(zone, record, signal) {
      await change(zone, record, withValue(record.value), signal);
      return undefined;
    },
    remove: (zone, record, _ref, signal) => change(zone, record, withoutValue(record.value), signal),
  };
};

const zoneOf = (xml: string): ProviderZone => ({
  name: (inner(xml, 'Name') ?? '').replace(/\.$/, '').toLowerCase(),
  ref: (inner(xml, 'Id') ?? '').replace(/^\/hostedzone\//, ''),
});

function changeXml(action: string, name: string, values: readonly string[], ttl: number): string {
  const records = values.map((value) => `<ResourceRecord><Value>${toXml(quoted(value))}</Value></ResourceRecord>`);
  return (
    `<Change><Action>${action}</Action><ResourceRecordSet><Name>${toXml(name)}.</Name><Type>TXT</Type>` +
    `<TTL>${ttl}</TTL><ResourceRecords>${records.join('')}</ResourceRecords></ResourceRecordSet></Change>`
  );
}

// The few shapes of this API hold no attributes and no nesting of a name in itself.
const all = (xml: string, tag: string): string[] =>
  [...xml.matchAll(new RegExp(`<${tag}>([^]*?)</${tag}>`, 'g'))].map(([, content]) => content!);
const inner = (xml: string, tag: string): string | undefined => {
  const content = all(xml, tag)[0];
  return content === undefined ? undefined : fromXml(content);
};

const toXml = (text: string) => text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
const ENTITIES: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
const fromXml = (text: string) =>
  text.replace(/&(?:#(\d{1,6})|#x([0-9a-fA-F]{1,5})|(\w{1,6}));/g, (whole, decimal, hex, word) =>
    decimal
      ? String.fromCodePoint(Number(decimal))
      : hex
        ? String.fromCodePoint(Number.parseInt(hex, 16))
        : (ENTITIES[word] ?? whole),
  );

const PASSING = new Set(['Throttling', 'ThrottlingException', 'PriorRequestNotComplete', 'RequestLimitExceeded']);

function refusal({ status, text }: ProviderAnswer): Fault {
  const code = inner(text, 'Code') ?? `HTTP ${status}`;
  const words = inner(text, 'Message') ?? '';
  if (PASSING.has(code))
    return new Fault({
      code: 'dns_provider_limit',
      detail: `Route 53 asks for patience: ${code}`,
      party: 'dns-provider',
      retry: 'backoff',
    });
  const credential =
    status === 403 || /AccessDenied|SignatureDoesNotMatch|InvalidClientTokenId|ExpiredToken/.test(code);
  return new Fault({
    code: credential ? 'dns_credential_refused' : 'dns_provider_refused',
    detail: `Route 53 refuses: ${code}: ${words.slice(0, 300)}`,
    party: 'dns-provider',
    retry: 'never',
    ...(credential && {
      advice:
        'check the keys, their policy (route53:ListHostedZonesByName, ChangeResourceRecordSets, ListResourceRecordSets, GetChange) and the clock',
    }),
  });
}

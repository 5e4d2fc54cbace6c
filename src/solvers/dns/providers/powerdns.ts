import { type OpenProvider, quoted, TXT_TTL_SECONDS, type TxtRecord } from '../provider.ts';
import { changeValues, sameValues, unquoted, withoutValue, withValue } from '../rrset.ts';

interface RecordSet {
  readonly name: string;
  readonly type: string;
  readonly records: readonly { readonly content: string; readonly disabled: boolean }[];
}

// https://doc.powerdns.com/authoritative/http-api/zone.html
export const openPowerDns: OpenProvider<'powerdns'> = ({ endpoint, api_key, server_id }, { http, clock }) => {
  const base = `${endpoint.replace(/\/$/, '')}/api/v1/servers/${encodeURIComponent(server_id)}/zones`;
  const headers = { 'x-api-key': api_key };
  const zoneUrl = (ref: string) => `${base}/${encodeURIComponent(ref)}`;

  async function read(ref: string, name: string, signal: AbortSignal): Promise<{ values: string[]; kind: string }> {
    const query = new URLSearchParams({ rrset_name: `${name}.`, rrset_type: 'TXT' });
    const { rrsets, kind } = (await http(`${zoneUrl(ref)}?${query}`, { headers, signal })).json as {
      rrsets: RecordSet[];
      kind: string;
    };
    const set = rrsets.find((one) => one.type === 'TXT' && one.name === `${name}.`);
    return { values: set?.records.map(({ content }) => unquoted(content)) ?? [], kind };
  }

  async function replace(ref: string, name: string, values: readonly string[], signal: AbortSignal): Promise<boolean> {
    const records = values.map((value) => ({ content: quoted(value), disabled: false }));
    const rrset =
      values.length === 0
        ? { name: `${name}.`, type: 'TXT', changetype: 'DELETE' }
        : { name: `${name}.`, type: 'TXT', ttl: TXT_TTL_SECONDS, changetype: 'REPLACE', records };
    await http(zoneUrl(ref), { method: 'PATCH', headers, body: { rrsets: [rrset] }, signal });
    // The API has no conditional change: what is there afterwards tells whether somebody wrote at the same time.
    const { values: after, kind } = await read(ref, name, signal);
    // Secondaries of a primary zone wait for a NOTIFY; other kinds refuse it.
    if (/^(master|primary)$/i.test(kind))
      await http(`${zoneUrl(ref)}/notify`, { method: 'PUT', headers, signal, accept: [400, 404, 422] });
    return sameValues(after, values);
  }

  const change = (
    ref: string,
    { name }: TxtRecord,
    how: (values: readonly string[]) => readonly string[],
    signal: AbortSignal,
  ) =>
    changeValues(clock, signal, {
      read: async () => (await read(ref, name, signal)).values,
      change: how,
      swap: (_, after) => replace(ref, name, after, signal),
    });

  return {
    async zones(signal, name) {
      const query = name === undefined ? '' : `?${new URLSearchParams({ zone: `${name}.` })}`;
      const zones = (await http(`${base}${query}`, { headers, signal })).json as { id: string; name: string }[];
      return zones.map((zone) => ({ name: zone.name.replace(/\.$/, '').toLowerCase(), ref: zone.id }));
    },
    async add(zone, record, signal) {
      await change(zone.ref, record, withValue(record.value), signal);
      return undefined;
    },
    remove: (zone, record, _ref, signal) => change(zone.ref, record, withoutValue(record.value), signal),
  };
};

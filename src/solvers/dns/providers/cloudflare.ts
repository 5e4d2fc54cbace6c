import { Fault } from '../../../base/index.ts';
import type { ProviderCall } from '../http.ts';
import { type OpenProvider, quoted, TXT_TTL_SECONDS } from '../provider.ts';
import { unquoted } from '../rrset.ts';

interface Page<T> {
  readonly result: readonly T[];
  readonly result_info?: { readonly total_pages?: number };
}

const IDENTICAL_RECORD_EXISTS = 81_058;
const MOST_PAGES = 200;

// https://developers.cloudflare.com/api/resources/dns/subresources/records/
export const openCloudflare: OpenProvider<'cloudflare'> = ({ api_token, endpoint }, { http }) => {
  const call = (path: string, options: ProviderCall) =>
    http(`${endpoint}${path}`, { ...options, headers: { authorization: `Bearer ${api_token}` } });

  async function everyPage<T>(path: string, parameters: Record<string, string>, signal: AbortSignal): Promise<T[]> {
    const all: T[] = [];
    for (let page = 1; page <= MOST_PAGES; page++) {
      const query = new URLSearchParams({ ...parameters, page: String(page), per_page: '50' });
      const { result, result_info } = (await call(`${path}?${query}`, { signal })).json as Page<T>;
      all.push(...result);
      if (page >= (result_info?.total_pages ?? 1)) break;
    }
    return all;
  }

  const idsOf = async (zone: string, name: string, value: string, signal: AbortSignal) => {
    const parameters = { type: 'TXT', 'name.exact': name };
    const path = `/zones/${encodeURIComponent(zone)}/dns_records`;
    const records = await everyPage<{ id: string; name: string; content: string }>(path, parameters, signal);
    return records.filter((record) => record.name === name && unquoted(record.content) === value).map(({ id }) => id);
  };

  return {
    async zones(signal, name) {
      const zones = await everyPage<{ id: string; name: string }>('/zones', name === undefined ? {} : { name }, signal);
      return zones.map((zone) => ({ name: zone.name, ref: zone.id }));
    },
    async add(zone, { name, value }, signal) {
      const { status, json } = await call(`/zones/${encodeURIComponent(zone.ref)}/dns_records`, {
        method: 'POST',
        body: { type: 'TXT', name, content: quoted(value), ttl: TXT_TTL_SECONDS },
        signal,
        accept: [400],
      });
      if (status !== 400) return (json as { result: { id: string } }).result.id;
      const { errors } = json as { errors?: { code: number; message: string }[] };
      if (errors?.some(({ code }) => code === IDENTICAL_RECORD_EXISTS))
        return (await idsOf(zone.ref, name, value, signal))[0];
      throw new Fault({
        code: 'dns_provider_refused',
        detail: `Cloudflare refuses the record: ${errors?.map(({ message }) => message).join('; ') ?? 'HTTP 400'}`,
        party: 'dns-provider',
        retry: 'backoff',
      });
    },
    async remove(zone, { name, value }, ref, signal) {
      for (const id of ref === undefined ? await idsOf(zone.ref, name, value, signal) : [ref])
        await call(`/zones/${encodeURIComponent(zone.ref)}/dns_records/${encodeURIComponent(id)}`, {
          method: 'DELETE',
          signal,
          accept: [404],
        });
    },
  };
};

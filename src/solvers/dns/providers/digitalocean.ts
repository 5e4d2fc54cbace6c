import type { ProviderCall } from '../http.ts';
import { type OpenProvider, relativeName, TXT_TTL_SECONDS } from '../provider.ts';
import { unquoted } from '../rrset.ts';

const PAGE = 200;
const MOST_PAGES = 50;

// https://docs.digitalocean.com/reference/api/digitalocean/#tag/Domain-Records
export const openDigitalOcean: OpenProvider<'digitalocean'> = ({ api_token, endpoint }, { http }) => {
  const call = (path: string, options: ProviderCall) =>
    http(`${endpoint}/v2/domains${path}`, { ...options, headers: { authorization: `Bearer ${api_token}` } });
  return {
    async zones(signal) {
      const names: string[] = [];
      for (let page = 1; page <= MOST_PAGES; page++) {
        const { json } = await call(`?per_page=${PAGE}&page=${page}`, { signal });
        const { domains } = json as { domains: { name: string }[] };
        names.push(...domains.map(({ name }) => name));
        if (domains.length < PAGE) break;
      }
      return names.map((name) => ({ name, ref: name }));
    },
    async add(zone, record, signal) {
      const { json } = await call(`/${zone.ref}/records`, {
        method: 'POST',
        body: { type: 'TXT', name: relativeName(zone, record), data: record.value, ttl: TXT_TTL_SECONDS },
        signal,
      });
      return String((json as { domain_record: { id: number } }).domain_record.id);
    },
    async remove(zone, { name, value }, ref, signal) {
      let ids = ref === undefined ? [] : [ref];
      if (ref === undefined) {
        const query = new URLSearchParams({ type: 'TXT', name, per_page: String(PAGE) });
        const { json } = await call(`/${zone.ref}/records?${query}`, { signal });
        const { domain_records: records } = json as { domain_records: { id: number; data: string }[] };
        ids = records.filter(({ data }) => unquoted(data) === value).map(({ id }) => String(id));
      }
      for (const id of ids)
        await call(`/${zone.ref}/records/${encodeURIComponent(id)}`, { method: 'DELETE', signal, accept: [404] });
    },
  };
};

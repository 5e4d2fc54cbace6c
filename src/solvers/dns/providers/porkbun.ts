import type { ProviderCall } from '../http.ts';
import { type OpenProvider, relativeName } from '../provider.ts';
import { unquoted } from '../rrset.ts';

const PAGE = 1000;
// The least that Porkbun takes.
const TTL_SECONDS = '600';

// https://porkbun.com/api/json/v3/documentation
export const openPorkbun: OpenProvider<'porkbun'> = ({ api_key, secret_api_key, endpoint }, { http }) => {
  const call = async (path: string, body: object, options: Omit<ProviderCall, 'body' | 'method'>) =>
    (
      await http(`${endpoint}${path}`, {
        ...options,
        method: 'POST',
        body: { apikey: api_key, secretapikey: secret_api_key, ...body },
      })
    ).json;
  return {
    async zones(signal) {
      const names: string[] = [];
      for (let start = 0; start < 10 * PAGE; start += PAGE) {
        const { domains } = (await call('/domain/listAll', { start: String(start) }, { signal })) as {
          domains: { domain: string }[];
        };
        names.push(...domains.map(({ domain }) => domain));
        if (domains.length < PAGE) break;
      }
      return names.map((name) => ({ name, ref: name }));
    },
    async add(zone, record, signal) {
      const body = { type: 'TXT', name: relativeName(zone, record, ''), content: record.value, ttl: TTL_SECONDS };
      const { id } = (await call(`/dns/create/${zone.ref}`, body, { signal })) as { id: string | number };
      return String(id);
    },
    async remove(zone, record, ref, signal) {
      // Deleting an id that is gone is answered with 400 like everything else, so what is there is read first.
      const path = `/dns/retrieveByNameType/${zone.ref}/TXT/${relativeName(zone, record, '')}`.replace(/\/$/, '');
      const { records } = (await call(path, {}, { signal })) as { records: { id: string; content: string }[] };
      for (const { id, content } of records)
        if (ref === undefined ? unquoted(content) === record.value : String(id) === ref)
          await call(`/dns/delete/${zone.ref}/${encodeURIComponent(id)}`, {}, { signal });
    },
  };
};

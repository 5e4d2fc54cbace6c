import { Fault } from '../../../base/index.ts';
import type { ProviderCall } from '../http.ts';
import {
  type OpenProvider,
  type ProviderZone,
  quoted,
  relativeName,
  TXT_TTL_SECONDS,
  type TxtRecord,
} from '../provider.ts';

interface Action {
  readonly id: number;
  readonly status: 'running' | 'success' | 'error';
  readonly error?: { readonly code: string; readonly message: string } | null;
}

const MOST_POLLS = 60;
const PAGE = 50;
const MOST_PAGES = 200;

// https://docs.hetzner.cloud/reference/cloud#zone-rrset-actions
export const openHetzner: OpenProvider<'hetzner'> = ({ api_token, endpoint }, { http, clock }) => {
  const call = (path: string, options: ProviderCall) =>
    http(`${endpoint}${path}`, { ...options, headers: { authorization: `Bearer ${api_token}` } });

  async function finished(action: Action, signal: AbortSignal): Promise<void> {
    let now = action;
    for (let polls = 0; now.status === 'running' && polls < MOST_POLLS; polls++) {
      await clock.sleep(500, signal);
      now = ((await call(`/actions/${now.id}`, { signal })).json as { action: Action }).action;
    }
    if (now.status !== 'success')
      throw new Fault({
        code: 'dns_provider_refused',
        detail: `Hetzner did not carry the change out: ${now.error?.message ?? 'the action is still running'}`,
        party: 'dns-provider',
        retry: 'backoff',
      });
  }

  const change = (zone: ProviderZone, record: TxtRecord, verb: string, body: object, options: ProviderCall) =>
    call(
      `/zones/${encodeURIComponent(zone.ref)}/rrsets/${encodeURIComponent(relativeName(zone, record))}/TXT/actions/${verb}`,
      { ...options, method: 'POST', body },
    );

  return {
    async zones(signal, name) {
      const zones: ProviderZone[] = [];
      for (let page = 1; page <= MOST_PAGES; page++) {
        const query = new URLSearchParams({
          ...(name !== undefined && { name }),
          page: String(page),
          per_page: `${PAGE}`,
        });
        const { zones: found } = (await call(`/zones?${query}`, { signal })).json as {
          zones: { id: number; name: string }[];
        };
        zones.push(...found.map((zone) => ({ name: zone.name, ref: String(zone.id) })));
        if (found.length < PAGE) break;
      }
      return zones;
    },
    async add(zone, record, signal) {
      const records = [{ value: quoted(record.value) }];
      // 409: the value is there already. 422: others made the set, with another TTL, which then stays.
      let { status, json } = await change(
        zone,
        record,
        'add_records',
        { records, ttl: TXT_TTL_SECONDS },
        { signal, accept: [409, 422] },
      );
      if (status === 422)
        ({ status, json } = await change(zone, record, 'add_records', { records }, { signal, accept: [409] }));
      if (status !== 409) await finished((json as { action: Action }).action, signal);
      return undefined;
    },
    async remove(zone, record, _ref, signal) {
      const body = { records: [{ value: quoted(record.value) }] };
      const { status, json } = await change(zone, record, 'remove_records', body, { signal, accept: [404] });
      if (status !== 404) await finished((json as { action: Action }).action, signal);
    },
  };
};

import { createHash } from 'node:crypto';
import type { ProviderFields } from '../fields.ts';
import { type OpenProvider, relativeName, TXT_TTL_SECONDS } from '../provider.ts';
import { unquoted } from '../rrset.ts';

const ENDPOINTS: Record<string, string> = {
  'ovh-eu': 'https://eu.api.ovh.com/1.0',
  'ovh-us': 'https://api.us.ovhcloud.com/1.0',
  'ovh-ca': 'https://ca.api.ovh.com/1.0',
};

/** `$1$` + SHA-1 of secret, consumer key, method, URL, body and time, joined by `+`. */
export function ovhSignature(
  fields: Pick<ProviderFields<'ovh'>, 'application_secret' | 'consumer_key'>,
  request: { method: string; url: string; body: string; time: number },
): string {
  const { method, url, body, time } = request;
  const text = [fields.application_secret, fields.consumer_key, method, url, body, time].join('+');
  return `$1$${createHash('sha1').update(text).digest('hex')}`;
}

// https://eu.api.ovh.com/console/?section=%2Fdomain
export const openOvh: OpenProvider<'ovh'> = (fields, { http, clock }) => {
  const base = fields.endpoint ?? ENDPOINTS[fields.region]!;
  let skew: number | undefined;

  async function serverTime(signal: AbortSignal): Promise<number> {
    skew ??= Number((await http(`${base}/auth/time`, { signal })).text) - Math.floor(clock.now() / 1000);
    return Math.floor(clock.now() / 1000) + skew;
  }

  async function call(
    method: 'GET' | 'POST' | 'DELETE',
    path: string,
    signal: AbortSignal,
    options: { body?: object; accept?: readonly number[] } = {},
  ) {
    const url = `${base}${path}`;
    const body = options.body === undefined ? '' : JSON.stringify(options.body);
    const time = await serverTime(signal);
    return http(url, {
      method,
      headers: {
        'content-type': 'application/json',
        'x-ovh-application': fields.application_key,
        'x-ovh-consumer': fields.consumer_key,
        'x-ovh-timestamp': String(time),
        'x-ovh-signature': ovhSignature(fields, { method, url, body, time }),
      },
      body: body === '' ? undefined : body,
      signal,
      accept: options.accept,
    });
  }

  // Changes to a zone are served once it is refreshed.
  const refresh = (zone: string, signal: AbortSignal) => call('POST', `/domain/zone/${zone}/refresh`, signal);

  return {
    async zones(signal) {
      const names = (await call('GET', '/domain/zone', signal)).json as string[];
      return names.map((name) => ({ name, ref: name }));
    },
    async add(zone, record, signal) {
      const { json } = await call('POST', `/domain/zone/${zone.ref}/record`, signal, {
        body: {
          fieldType: 'TXT',
          subDomain: relativeName(zone, record, ''),
          target: record.value,
          ttl: TXT_TTL_SECONDS,
        },
      });
      await refresh(zone.ref, signal);
      return String((json as { id: number }).id);
    },
    async remove(zone, record, ref, signal) {
      let ids = ref === undefined ? [] : [ref];
      if (ref === undefined) {
        const query = new URLSearchParams({ fieldType: 'TXT', subDomain: relativeName(zone, record, '') });
        const found = (await call('GET', `/domain/zone/${zone.ref}/record?${query}`, signal)).json as number[];
        for (const id of found) {
          const { target } = (await call('GET', `/domain/zone/${zone.ref}/record/${id}`, signal)).json as {
            target: string;
          };
          if (unquoted(target) === record.value) ids = [...ids, String(id)];
        }
      }
      for (const id of ids) await call('DELETE', `/domain/zone/${zone.ref}/record/${id}`, signal, { accept: [404] });
      if (ids.length > 0) await refresh(zone.ref, signal);
    },
  };
};

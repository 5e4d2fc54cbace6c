import type { OpenProvider, ProviderZone, TxtRecord } from '../provider.ts';

export const openWebhook: OpenProvider<'webhook'> = ({ endpoint, bearer_token }, { http }) => {
  const headers: Record<string, string> = bearer_token === undefined ? {} : { authorization: `Bearer ${bearer_token}` };
  const send = async (
    action: 'present' | 'cleanup',
    zone: ProviderZone,
    { name, value }: TxtRecord,
    signal: AbortSignal,
  ) => {
    const body = { action, fqdn: `${name}.`, zone: `${zone.name}.`, value };
    await http(endpoint, { method: 'POST', headers, body, signal });
  };
  return {
    async add(zone, record, signal) {
      await send('present', zone, record, signal);
      return undefined;
    },
    remove: (zone, record, _ref, signal) => send('cleanup', zone, record, signal),
  };
};

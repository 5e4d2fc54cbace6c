import { Fault } from '../../../base/index.ts';
import type { OpenProvider } from '../provider.ts';

// https://github.com/joohoi/acme-dns#update-endpoint
export const openAcmeDns: OpenProvider<'acme-dns'> = (fields, { http }) => {
  const name = fields.full_domain.replace(/\.$/, '').toLowerCase();
  return {
    onlyName: name,
    zones: async () => [{ name, ref: fields.subdomain }],
    async add(zone, record, signal) {
      if (record.name !== name)
        throw new Fault({
          code: 'dns_zone_unknown',
          detail: `acme-dns holds ${name} only, and ${record.name} does not lead there`,
          party: 'operator',
          retry: 'backoff',
          advice: `make ${record.name} a CNAME to ${name}`,
        });
      await http(`${fields.endpoint.replace(/\/$/, '')}/update`, {
        method: 'POST',
        headers: { 'x-api-user': fields.username, 'x-api-key': fields.password },
        body: { subdomain: zone.ref, txt: record.value },
        signal,
      });
      return undefined;
    },
    // It keeps the last two values and has no call to remove one.
    remove: async () => {},
  };
};

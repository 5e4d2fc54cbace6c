import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import { Fault } from '../base/index.ts';

/**
 * Refuses a request for a host name that this API is not known by, before anything else is looked at: a name of a
 * stranger's that resolves here (DNS rebinding) must not reach the API through somebody's browser. A name that an approved mission exposed is no stranger's.
 */
export function createHostCheck(
  allowed: readonly string[],
  isExposed: (host: string) => Promise<boolean>,
): (header: string | undefined) => Promise<void> {
  const known = new Set(allowed.map((name) => name.toLowerCase()));
  return async (header) => {
    const host = hostOf(header ?? '');
    if (host === 'localhost' || host.endsWith('.localhost') || known.has(host)) return;
    // An address cannot be rebound, so one that was typed is as good as the name.
    if (isIP(host) !== 0 && (known.size === 0 || ipaddr.process(host).range() === 'loopback')) return;
    if (host.includes('.') && host.length <= 253 && (await isExposed(host))) return;
    throw new Fault({
      code: 'unknown_host',
      detail: `the API is not known by the host name ${JSON.stringify(host.slice(0, 253))}`,
      party: 'client',
      retry: 'never',
      status: 403,
      field: 'Host',
      advice:
        'add it to api.allowed_hosts in the configuration (GATEHOUSE_API_ALLOWED_HOSTS); a name that was exposed is known by itself',
    });
  };
}

function hostOf(header: string): string {
  const bracketed = /^\[([^\]]+)\]/.exec(header)?.[1];
  return (bracketed ?? header.replace(/:\d*$/, '')).toLowerCase().replace(/\.$/, '');
}

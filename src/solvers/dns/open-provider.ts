import type { Dispatcher } from 'undici';
import type { Clock } from '../../base/index.ts';
import type { Ask } from '../../dns/index.ts';
import { DNS_PROVIDERS, type DnsProviderName, parseProviderFields } from './fields.ts';
import { createProviderHttp } from './http.ts';
import type { DnsProvider, OpenProvider } from './provider.ts';

// Each is loaded when a credential of its kind is first used.
const OPEN: { [P in DnsProviderName]: () => Promise<OpenProvider<P>> } = {
  cloudflare: async () => (await import('./providers/cloudflare.ts')).openCloudflare,
  route53: async () => (await import('./providers/route53.ts')).openRoute53,
  gcloud: async () => (await import('./providers/gcloud.ts')).openGcloud,
  digitalocean: async () => (await import('./providers/digitalocean.ts')).openDigitalOcean,
  hetzner: async () => (await import('./providers/hetzner.ts')).openHetzner,
  porkbun: async () => (await import('./providers/porkbun.ts')).openPorkbun,
  ovh: async () => (await import('./providers/ovh.ts')).openOvh,
  rfc2136: async () => (await import('./providers/rfc2136.ts')).openRfc2136,
  powerdns: async () => (await import('./providers/powerdns.ts')).openPowerDns,
  'acme-dns': async () => (await import('./providers/acme-dns.ts')).openAcmeDns,
  webhook: async () => (await import('./providers/webhook.ts')).openWebhook,
  exec: async () => (await import('./providers/exec.ts')).openExec,
};

export interface ProviderOptions {
  readonly clock: Clock;
  readonly ask: Ask;
  /** Directory of the programs of `exec`. */
  readonly programs: string;
  /** How the APIs are reached, where not directly. */
  readonly dispatcher?: Dispatcher;
}

/** Checks the fields and opens the provider; makes no call yet. Throws a `Fault` that names a wrong field. */
export async function openProvider<P extends DnsProviderName>(
  name: P,
  given: Readonly<Record<string, string>>,
  options: ProviderOptions,
): Promise<DnsProvider> {
  const fields = parseProviderFields(name, given);
  const open = await OPEN[name]();
  const http = createProviderHttp(DNS_PROVIDERS[name].title, options);
  return open(fields, { http, clock: options.clock, ask: options.ask, programs: options.programs });
}

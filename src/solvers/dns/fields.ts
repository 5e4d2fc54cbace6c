import { Fault, type FaultDetails } from '../../base/index.ts';

/** One input of a provider's credential. */
export interface ProviderField {
  readonly description: string;
  /** Never shown again. Every field rests in the secret store; this says which ones a form hides while typing. */
  readonly secret: boolean;
  readonly required: boolean;
  /** Accepted values, where there are few. */
  readonly oneOf?: readonly string[];
  readonly fallback?: string;
}

const needed = { required: true } as const;
const optional = { required: false } as const;
const secret = (description: string) => ({ description, secret: true, ...needed });
const open = (description: string) => ({ description, secret: false, ...needed });
const also = (description: string) => ({ description, secret: false, ...optional });
const defaulted = (description: string, fallback: string) => ({ ...also(description), fallback });
const api = (fallback: string) => ({
  endpoint: defaulted('base URL of the API, to reach it through a gateway', fallback),
});

/** Every DNS provider and what its credential is made of. */
export const DNS_PROVIDERS = {
  cloudflare: {
    title: 'Cloudflare',
    fields: {
      api_token: secret('API token with Zone:Read and DNS:Edit on the zones'),
      ...api('https://api.cloudflare.com/client/v4'),
    },
  },
  route53: {
    title: 'Amazon Route 53',
    fields: {
      access_key_id: open('access key id of a user who may list zones and change record sets'),
      secret_access_key: secret('secret access key'),
      session_token: { description: 'session token of temporary keys', secret: true, ...optional },
      region: defaulted('region that requests are signed for', 'us-east-1'),
      hosted_zone_id: also('the one hosted zone to use, where listing zones is not allowed'),
      ...api('https://route53.amazonaws.com'),
    },
  },
  gcloud: {
    title: 'Google Cloud DNS',
    fields: {
      service_account_json: secret('key file (JSON) of a service account with the role roles/dns.admin'),
      project: also('project that holds the zones (default: the one in the key file)'),
      ...api('https://dns.googleapis.com'),
    },
  },
  digitalocean: {
    title: 'DigitalOcean',
    fields: {
      api_token: secret('personal access token with domain scopes'),
      ...api('https://api.digitalocean.com'),
    },
  },
  hetzner: {
    title: 'Hetzner (Cloud API)',
    fields: {
      api_token: secret('API token (read and write) of the project that holds the zones'),
      ...api('https://api.hetzner.cloud/v1'),
    },
  },
  porkbun: {
    title: 'Porkbun',
    fields: {
      api_key: secret('API key; the domain must have API access switched on'),
      secret_api_key: secret('secret API key'),
      ...api('https://api.porkbun.com/api/json/v3'),
    },
  },
  ovh: {
    title: 'OVHcloud',
    fields: {
      region: { ...defaulted('which OVHcloud', 'ovh-eu'), oneOf: ['ovh-eu', 'ovh-us', 'ovh-ca'] },
      application_key: open('application key'),
      application_secret: secret('application secret'),
      consumer_key: secret('consumer key with GET, POST and DELETE on /domain/zone/*'),
      endpoint: also('base URL of the API, instead of the one of the region'),
    },
  },
  rfc2136: {
    title: 'Dynamic update (BIND, Knot, PowerDNS, …)',
    fields: {
      nameserver: open('primary server that takes updates (RFC 2136), host:port'),
      tsig_name: open('name of the TSIG key (RFC 8945)'),
      tsig_secret: secret('TSIG secret in base64'),
      tsig_algorithm: {
        ...defaulted('TSIG algorithm', 'hmac-sha256'),
        oneOf: ['hmac-sha256', 'hmac-sha512', 'hmac-sha384', 'hmac-sha224', 'hmac-sha1'],
      },
    },
  },
  powerdns: {
    title: 'PowerDNS (HTTP API)',
    fields: {
      endpoint: open('base URL of the API, such as http://127.0.0.1:8081'),
      api_key: secret('API key (X-API-Key)'),
      server_id: defaulted('server in the API', 'localhost'),
    },
  },
  'acme-dns': {
    title: 'acme-dns',
    fields: {
      endpoint: open('base URL of the acme-dns server'),
      username: open('user name that /register answered'),
      password: secret('password that /register answered'),
      subdomain: open('subdomain that /register answered'),
      full_domain: open('full domain that /register answered: the target of the CNAMEs'),
    },
  },
  webhook: {
    title: 'Webhook',
    fields: {
      endpoint: open('URL; POST {"action":"present"|"cleanup","fqdn","zone","value"} is sent to it'),
      bearer_token: { description: 'sent as Authorization: Bearer', secret: true, ...optional },
    },
  },
  exec: {
    title: 'Program on this machine',
    fields: {
      program: open('file name of a program in the dns-exec directory; run as: program present|cleanup FQDN VALUE'),
      token: { description: 'given to the program as GATEHOUSE_DNS_TOKEN', secret: true, ...optional },
    },
  },
} as const satisfies Record<string, { title: string; fields: Record<string, ProviderField> }>;

export type DnsProviderName = keyof typeof DNS_PROVIDERS;
type FieldTable<P extends DnsProviderName> = (typeof DNS_PROVIDERS)[P]['fields'];

/** The checked fields of one provider: required ones and those with a fallback are always there. */
export type ProviderFields<P extends DnsProviderName> = {
  readonly [F in keyof FieldTable<P>]: FieldTable<P>[F] extends { required: true } | { fallback: string }
    ? string
    : string | undefined;
};

export const isDnsProvider = (text: string): text is DnsProviderName => Object.hasOwn(DNS_PROVIDERS, text);

const LONGEST_FIELD = 16_384;

/** Checks a credential's fields as a stranger gave them; throws a `Fault` of code `invalid_fields` that names each. */
export function parseProviderFields<P extends DnsProviderName>(
  provider: P,
  given: Readonly<Record<string, string>>,
): ProviderFields<P> {
  const table: Record<string, ProviderField> = DNS_PROVIDERS[provider].fields;
  const problems: FaultDetails[] = [];
  const wrong = (field: string, detail: string) =>
    problems.push({ code: 'invalid_field', detail, party: 'client', retry: 'never', field: `fields.${field}` });
  for (const name of Object.keys(given))
    if (!Object.hasOwn(table, name))
      wrong(name, `${provider} has no field ${name}; it has ${Object.keys(table).join(', ')}`);
  const fields: Record<string, string | undefined> = {};
  for (const [name, field] of Object.entries(table)) {
    const value = (given[name] ?? '').trim() || field.fallback;
    fields[name] = value;
    if (value === undefined) {
      if (field.required) wrong(name, `${name} is missing: ${field.description}`);
    } else if (value.length > LONGEST_FIELD) wrong(name, `${name} is longer than ${LONGEST_FIELD} characters`);
    else if (field.oneOf !== undefined && !field.oneOf.includes(value))
      wrong(name, `${name} is one of ${field.oneOf.join(', ')}`);
    else if (name === 'endpoint' && !isHttpUrl(value)) wrong(name, `${name} is an http:// or https:// URL`);
  }
  if (problems.length > 0)
    throw new Fault({
      code: 'invalid_fields',
      detail: problems.map(({ detail }) => detail).join('; '),
      party: 'client',
      retry: 'never',
      field: problems[0]!.field,
      status: 422,
      problems,
    });
  return fields as ProviderFields<P>;
}

function isHttpUrl(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '';
}

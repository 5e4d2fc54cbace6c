import { Ajv2020 } from 'ajv/dist/2020.js';
import ipaddr from 'ipaddr.js';
import { type Static, Type } from 'typebox';
import { Fault, type FaultDetails } from '../base/index.ts';
import { parseNamePattern } from './name-policy.ts';

const Seconds = (defaultValue: number, description: string, minimum = 60) =>
  Type.Integer({ minimum, maximum: 10 * 366 * 86_400, default: defaultValue, description });
const Rate = (count: number, seconds: number, description: string) =>
  Type.Object(
    {
      count: Type.Integer({ minimum: 1, maximum: 1_000_000_000, default: count }),
      per_seconds: Type.Integer({ minimum: 1, maximum: 31 * 86_400, default: seconds }),
    },
    { additionalProperties: false, default: {}, description },
  );
const Words = <const T extends readonly string[]>(words: T) =>
  Type.Unsafe<T[number]>({ type: 'string', enum: [...words] });
const Names = (description: string) =>
  Type.Array(Type.String({ maxLength: 300 }), { maxItems: 10_000, default: [], description });

/** Goes into headers and JSON as it is. */
const URL_PATTERN = '^https?://[!-;=?-~]+$';

export const KEY_TYPES = ['rsa2048', 'rsa3072', 'rsa4096', 'p256', 'p384', 'ed25519'] as const;
export type KeyType = (typeof KEY_TYPES)[number];
const OFFERED_CHALLENGES = ['http-01', 'tls-alpn-01', 'dns-01', 'dns-account-01', 'dns-persist-01'] as const;

const Validation = Type.Object(
  {
    http_port: Type.Integer({
      minimum: 1,
      maximum: 65535,
      default: 80,
      description: 'port of http-01, first request and redirects',
    }),
    tls_port: Type.Integer({ minimum: 1, maximum: 65535, default: 443, description: 'port of tls-alpn-01' }),
    allowed_cidrs: Names('address blocks that may be reached although they are not public'),
    resolvers: Names('DNS servers as host:port; those of the system when empty'),
    challenges: Type.Array(Words(OFFERED_CHALLENGES), {
      default: ['http-01', 'tls-alpn-01', 'dns-01'],
      minItems: 1,
      uniqueItems: true,
      description: 'challenge types to offer, where the identifier allows them',
    }),
    perspectives_quorum: Type.Integer({
      minimum: 0,
      maximum: 20,
      default: 0,
      description:
        'how many of the other perspectives (acme_server.perspectives) must see control too; 0: none is asked',
    }),
    timeout_seconds: Type.Integer({ minimum: 1, maximum: 60, default: 10, description: 'for one validation, in all' }),
    caa: Type.Boolean({
      default: false,
      description: 'check CAA records (RFC 8659, RFC 8657) before validating and issuing',
    }),
    caa_identities: Names('names by which CAA records mean this CA'),
    authoritative: Type.Boolean({
      default: false,
      description: 'ask the authoritative servers for TXT and CAA records, instead of trusting a resolver',
    }),
  },
  { additionalProperties: false, default: {}, description: 'how control of a name is checked' },
);

const Limits = Type.Object(
  {
    orders: Rate(300, 3600, 'new orders of an account'),
    open_orders: Type.Integer({
      minimum: 1,
      maximum: 1_000_000_000,
      default: 300,
      description: 'unfinished orders of an account at once',
    }),
    accounts_per_address: Rate(10, 10_800, 'new accounts from an address (IPv4) or /64 (IPv6)'),
    key_changes: Rate(5, 3600, 'key changes of an account'),
    challenge_responses: Rate(600, 3600, 'challenge responses of an account'),
    failed_validations: Rate(10, 3600, 'failed validations of a name by an account'),
    certificate_names: Type.Integer({
      minimum: 1,
      maximum: 1000,
      default: 100,
      description: 'identifiers of an order',
    }),
  },
  {
    additionalProperties: false,
    default: {},
    description: 'shared by all replicas; answered as rateLimited with Retry-After',
  },
);

const KeyTypes = Type.Array(Words(KEY_TYPES), { minItems: 1, uniqueItems: true });
const KeyUsages = Type.Array(Words(['serverAuth', 'clientAuth']), { minItems: 1, uniqueItems: true });
const CommonName = Words(['none', 'requested', 'first']);

const CertificateProfiles = Type.Record(
  Type.String({ pattern: '^[a-z0-9][a-z0-9-]{0,62}$' }),
  Type.Object(
    {
      description: Type.Optional(Type.String({ maxLength: 1000 })),
      max_ttl_seconds: Type.Optional(Type.Integer({ minimum: 60, maximum: 10 * 366 * 86_400 })),
      default_ttl_seconds: Type.Optional(Type.Integer({ minimum: 60 })),
      key_types: Type.Optional(KeyTypes),
      extended_key_usage: Type.Optional(KeyUsages),
      common_name: Type.Optional(CommonName),
    },
    { additionalProperties: false },
  ),
  {
    default: {},
    additionalProperties: false,
    description:
      "further kinds of certificate that orders may name (draft-ietf-acme-profiles): name -> max_ttl_seconds, default_ttl_seconds, key_types, extended_key_usage, common_name, description, each instead of the profile's own",
  },
);

/** A profile as it is written by people, over the API and in the store. */
export const ProfileSettings = Type.Object(
  {
    auth_mode: {
      ...Words(['challenge', 'trust_authenticated']),
      default: 'challenge',
      description:
        'challenge: control of each name is proven. trust_authenticated: an account bound to an EAB key may have what the key allows',
    },
    eab_required: Type.Boolean({
      default: false,
      description: 'new accounts need an external account binding (RFC 8555 §7.3.4)',
    }),
    trust_without_eab: Type.Boolean({
      default: false,
      description: 'DANGEROUS: in trust_authenticated mode, give whoever reaches the server any allowed name',
    }),
    validation: Validation,
    names: Type.Object(
      {
        allow: Names('names, *.suffixes and CIDRs that may be had; any when empty'),
        deny: Names('names, *.suffixes and CIDRs that may not; wins over allow'),
      },
      { additionalProperties: false, default: {} },
    ),
    max_ttl_seconds: Seconds(90 * 86_400, 'longest lifetime of a certificate'),
    default_ttl_seconds: Type.Optional(
      Type.Integer({ minimum: 60, description: 'lifetime when the order asks for none; max_ttl_seconds when absent' }),
    ),
    beyond_ca: {
      ...Words(['clip', 'refuse']),
      default: 'clip',
      description:
        "when the usual lifetime would end after the CA's own certificate: clip: it ends with that; refuse: there is none",
    },
    authorization_ttl_seconds: Seconds(86_400, 'how long a proven authorization may be used again'),
    order_ttl_seconds: Seconds(7 * 86_400, 'how long an order and its pending authorizations stay open'),
    key_types: {
      ...KeyTypes,
      default: ['rsa2048', 'rsa3072', 'rsa4096', 'p256', 'p384'],
      description: 'keys that certificates may have; other RSA sizes between two allowed ones are allowed too',
    },
    extended_key_usage: { ...KeyUsages, default: ['serverAuth'], description: 'what certificates are for' },
    common_name: {
      ...CommonName,
      default: 'requested',
      description:
        'none: never; requested: the one of the request; first: that, else the first name of at most 64 characters',
    },
    issuer: Type.Optional(
      Type.String({
        pattern: '^[a-z0-9][a-z0-9-]{0,62}$',
        description:
          'issuer by which certificates are got instead of our own CA: the profile is a registration authority before it',
      }),
    ),
    certificate_profiles: CertificateProfiles,
    terms_of_service: Type.Optional(
      Type.String({ pattern: URL_PATTERN, maxLength: 1000, description: 'URL; accounts must agree when set' }),
    ),
    terms_must_be_agreed_again: Type.Boolean({
      default: false,
      description: 'accounts that agreed to terms at another URL must agree anew before they order (RFC 8555 §7.3.3)',
    }),
    website: Type.Optional(
      Type.String({ pattern: URL_PATTERN, maxLength: 1000, description: 'URL, shown in the directory' }),
    ),
    description: Type.Optional(
      Type.String({ maxLength: 1000, description: 'what the profile is, in words; shown in the directory' }),
    ),
    limits: Limits,
  },
  { additionalProperties: false },
);
export type ProfileSettings = Static<typeof ProfileSettings>;

export interface Profile {
  readonly id: string;
  readonly version: number;
  readonly settings: ProfileSettings;
}

const ajv = new Ajv2020({ allErrors: true, useDefaults: true, strict: false });
const validate = ajv.compile<ProfileSettings>(ProfileSettings);

/** Settings with every default filled in. Throws a `Fault` of code `invalid_profile` whose `problems` name the fields. */
export function parseProfileSettings(input: unknown): ProfileSettings {
  const settings: unknown = structuredClone(input ?? {});
  if (!validate(settings))
    throw invalid(
      (validate.errors ?? []).map(({ instancePath, message, params }) =>
        wrong(fieldOf(instancePath, params as { additionalProperty?: string }), message ?? 'is wrong'),
      ),
    );
  const problems = contradictions(settings);
  if (problems.length > 0) throw invalid(problems);
  return settings;
}

function contradictions(settings: ProfileSettings): FaultDetails[] {
  const problems: FaultDetails[] = [];
  const check = (field: string, values: readonly string[], parse: (text: string) => unknown) =>
    values.forEach((text, index) => {
      try {
        parse(text);
      } catch {
        problems.push(wrong(`${field}[${index}]`, `${JSON.stringify(text)} is not one`));
      }
    });
  check('names.allow', settings.names.allow, parseNamePattern);
  check('names.deny', settings.names.deny, parseNamePattern);
  check('validation.allowed_cidrs', settings.validation.allowed_cidrs, ipaddr.parseCIDR);
  check('validation.resolvers', settings.validation.resolvers, parseHostPort);
  if ((settings.default_ttl_seconds ?? 0) > settings.max_ttl_seconds)
    problems.push(wrong('default_ttl_seconds', 'is longer than max_ttl_seconds'));
  for (const [name, { default_ttl_seconds = 0, max_ttl_seconds }] of Object.entries(settings.certificate_profiles))
    if (default_ttl_seconds > (max_ttl_seconds ?? settings.max_ttl_seconds))
      problems.push(wrong(`certificate_profiles.${name}.default_ttl_seconds`, 'is longer than max_ttl_seconds'));
  // Whoever reaches a trusting profile without EAB gets any name it allows (FIELD: what certctl stops at).
  if (settings.auth_mode === 'trust_authenticated' && !settings.eab_required && !settings.trust_without_eab)
    problems.push(
      wrong(
        'eab_required',
        'must be true in trust_authenticated mode, unless trust_without_eab says that anybody may have any allowed name',
      ),
    );
  const byName = settings.validation.caa || settings.validation.challenges.includes('dns-persist-01');
  if (byName && settings.validation.caa_identities.length === 0)
    problems.push(
      wrong('validation.caa_identities', 'must name this CA when CAA records are checked or dns-persist-01 is offered'),
    );
  return problems;
}

/** `host:port` or `[v6]:port`; port 53 when absent. */
export function parseHostPort(text: string): { host: string; port: number } {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s]+))(?::(\d{1,5}))?$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3] ?? 53);
  if (host === undefined || port < 1 || port > 65535) throw new Error(`${text} is not host:port`);
  return { host, port };
}

const fieldOf = (path: string, { additionalProperty }: { additionalProperty?: string }): string =>
  [...path.split('/').slice(1), ...(additionalProperty === undefined ? [] : [additionalProperty])].join('.');

const wrong = (field: string, why: string): FaultDetails => ({
  code: 'invalid_field',
  detail: `${field} ${why}`,
  party: 'client',
  retry: 'never',
  field,
});

function invalid(problems: readonly FaultDetails[]): Fault {
  return new Fault({
    code: 'invalid_profile',
    detail: problems.map(({ detail }) => detail).join('; '),
    party: 'client',
    retry: 'never',
    status: 422,
    problems,
  });
}

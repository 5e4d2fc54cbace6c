import { type Static, Type } from 'typebox';

const closed = { additionalProperties: false };
const text = (description: string) => Type.Optional(Type.String({ minLength: 1, description }));
const texts = (description: string) => Type.Array(Type.String({ minLength: 1 }), { default: [], description });
const count = (description: string, minimum = 1) =>
  Type.Optional(Type.Integer({ minimum, maximum: 1_000_000_000, description }));

/** `ca`: the certificate authority itself. */
export const CaConfig = Type.Object(
  {
    url: text(
      'http:// URL under which certificates say that revocation lists, OCSP and issuers are found (default: they do not say)',
    ),
    address: Type.String({ default: '127.0.0.1', description: 'where lists and OCSP are served over plain HTTP' }),
    port: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 65535,
        description:
          'lists and OCSP over plain HTTP, which relying parties expect; 0 takes any free port (default: only below the ACME server)',
      }),
    ),
    organization: Type.String({ default: 'Gatehouse', maxLength: 60, description: 'in the names of new authorities' }),
    name_constraints: Type.Object(
      {
        permitted: texts(
          'names (and all below them) and CIDR blocks that new intermediates may sign for; any when empty',
        ),
        excluded: texts('names (and all below them) and CIDR blocks that they may not'),
      },
      { ...closed, default: {} },
    ),
    signers: Type.Record(Type.String({ pattern: '^[a-z0-9-]{1,63}$' }), Type.Array(Type.String(), { minItems: 1 }), {
      default: {},
      description:
        'programs that hold keys (of a PKCS #11 token, a KMS): name -> command and arguments. Given an algorithm as last argument and bytes on standard input, one writes the signature',
    }),
    import: Type.Optional(
      Type.Object(
        {
          chain_file: Type.String({
            description: 'PEM: the certificate that signs, then those above it, the root last',
          }),
          key_file: text('PEM of the key of the first certificate'),
          passphrase_file: text('file with the passphrase of the key'),
          signer: text('one of ca.signers, which holds the key instead'),
        },
        { ...closed, description: 'an existing CA, which signs from the next start on' },
      ),
    ),
  },
  { ...closed, default: {} },
);
export type CaConfig = Static<typeof CaConfig>;

/** `acme_server`, besides where it listens: what its default profile is set to at each start. */
export const acmeServerSettings = {
  enabled: Type.Boolean({
    default: true,
    description: 'false: only the profile that this Gatehouse itself needs answers',
  }),
  perspectives: Type.Array(
    Type.Object(
      {
        name: Type.String({ pattern: '^[a-z0-9-]{1,40}$' }),
        url: Type.String({ pattern: '^https://[^/]+$', description: 'https://host:port of its listener' }),
      },
      closed,
    ),
    {
      default: [],
      maxItems: 20,
      description: 'other places from which control is checked ("gatehouse ca perspective")',
    },
  ),
  default_profile_id: text('profile of /acme/directory; made when there is none (default: internal)'),
  default_auth_mode: Type.Optional(
    Type.Enum(['challenge', 'trust_authenticated'], { description: 'auth_mode of the default profile' }),
  ),
  eab_required: Type.Optional(Type.Boolean({ description: 'eab_required of the default profile' })),
  tos_url: text('terms_of_service of the default profile'),
  website: text('website of the default profile'),
  caa_identities: Type.Optional(
    Type.Array(Type.String(), { description: 'validation.caa_identities of the default profile' }),
  ),
  dns01_resolver: Type.Optional(
    Type.Array(Type.String(), { description: 'validation.resolvers of the default profile: host:port' }),
  ),
  order_ttl: count('order_ttl_seconds of the default profile', 60),
  authz_ttl: count('authorization_ttl_seconds of the default profile', 60),
  rate_limit_orders_per_hour: count('limits.orders of the default profile, in an hour'),
  rate_limit_concurrent_orders: count('limits.open_orders of the default profile'),
  rate_limit_key_change_per_hour: count('limits.key_changes of the default profile, in an hour'),
  rate_limit_challenge_responds_per_hour: count('limits.challenge_responses of the default profile, in an hour'),
};

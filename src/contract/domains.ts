import { type Static, Type } from 'typebox';
import { Certificate, ChallengeChoice, IssuerChoice } from './certificates.ts';
import { Nullable, named, Strict, Time, Why, words } from './common.ts';

export const TLS_STATUSES = ['issued', 'failed', 'pending', 'renewing'] as const;
export const DNS_STATES = ['unknown', 'configured', 'elsewhere', 'missing', 'unanswered', 'local'] as const;

export const DnsRecord = named(
  'DnsRecord',
  Type.Object({
    type: Type.String(),
    name: Type.String(),
    value: Type.String(),
    line: Type.String({ description: 'the line to put into the zone' }),
    purpose: Type.String(),
  }),
);

export const DnsAnswer = named(
  'DnsAnswer',
  Type.Object({
    view: words(['system', 'resolver', 'authoritative']),
    server: Type.String(),
    addresses: Type.Array(Type.String()),
    cname: Type.Array(Type.String(), { description: 'the chain of aliases that was followed' }),
    problem: Nullable(Type.String()),
  }),
);

export const DomainDns = named(
  'DomainDns',
  Type.Object({
    state: words(DNS_STATES),
    summary: Type.String(),
    expected: Type.Array(DnsRecord),
    answers: Type.Array(DnsAnswer),
    cdn: Nullable(Type.String({ description: 'a content delivery network that answers in front' })),
    caa: Type.Object({
      records: Type.Array(Type.String()),
      allows: Nullable(Type.Boolean({ description: 'whether the issuer may issue; null when not known' })),
      detail: Nullable(Type.String()),
    }),
    split_horizon: Nullable(Type.String({ description: 'how the views differ, in a sentence' })),
    dnssec: Nullable(words(['broken'])),
    looked_at: Nullable(Time),
    next_look_at: Nullable(Time),
  }),
);

export const ClusterCertificate = named(
  'ClusterCertificate',
  Type.Object({
    name: Type.String({ description: "cert-manager's Certificate" }),
    namespace: Type.String(),
    reason: Nullable(Type.String({ description: 'of the condition that decides' })),
    detail: Nullable(Type.String()),
    problems: Type.Array(Type.Object({ kind: Type.String(), name: Type.String(), detail: Type.String() }), {
      description: 'what requests, orders and challenges under it say; the nearest to the cause last',
    }),
    not_after: Nullable(Time),
    renews_at: Nullable(Time),
    failed_attempts: Type.Integer(),
  }),
);

export const Domain = named(
  'Domain',
  Type.Object({
    id: Type.String(),
    domain: Type.String({ description: 'A-label form' }),
    unicode: Type.String({ description: 'as people write it' }),
    app: Type.Object({ id: Type.String(), name: Type.String() }),
    kind: words(['auto', 'custom']),
    tls_status: words(TLS_STATUSES),
    dns_configured: Type.Boolean(),
    dns: DomainDns,
    certificate: Nullable(Certificate),
    cluster_certificate: Nullable(ClusterCertificate),
    claim: Type.Object({
      state: words(['proved', 'unproved', 'lapsed']),
      proof: Nullable(Type.String()),
      proved_at: Nullable(Time),
      lapses_at: Nullable(Time),
    }),
    routed: Type.Boolean({ description: 'false while it is only proved and certified, before its traffic moves' }),
    redirect_to: Nullable(Type.String()),
    on_demand: Type.Boolean({ description: 'its certificate is asked for when the first handshake asks for the name' }),
    dns_credential_id: Nullable(Type.String()),
    why: Why,
    troubleshooting: Type.Array(
      Type.Object({ symptom: Type.String(), likely_cause: Type.String(), recovery: Type.String() }),
    ),
    created_at: Time,
    updated_at: Time,
  }),
);
export type Domain = Static<typeof Domain>;

export const AddDomain = named(
  'AddDomain',
  Type.Object(
    {
      domain: Type.String({ minLength: 1, maxLength: 1000, description: 'shop.example.com, *.example.com or an IDN' }),
      dns_credential_id: Type.Optional(Type.String({ maxLength: 100, description: 'needed for a wildcard' })),
      issuers: IssuerChoice,
      challenge: ChallengeChoice,
      redirect_to: Type.Optional(Type.String({ maxLength: 1000, description: 'send its requests on to this name' })),
      route: Type.Optional(Type.Boolean({ description: 'false: prove and certify now, route later; true by default' })),
      on_demand: Type.Optional(
        Type.Boolean({ description: 'true: get its certificate when the first handshake asks for the name' }),
      ),
    },
    Strict,
  ),
);
export type AddDomain = Static<typeof AddDomain>;

export const ChangeDomain = named(
  'ChangeDomain',
  Type.Object(
    { route: Type.Optional(Type.Boolean()), redirect_to: Type.Optional(Nullable(Type.String({ maxLength: 1000 }))) },
    Strict,
  ),
);
export type ChangeDomain = Static<typeof ChangeDomain>;

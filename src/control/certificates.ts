import { inUtc } from '../base/index.ts';
import type {
  Certificate,
  CertificateDetail,
  CertificateEvent,
  CreateCertificate,
  MassRevocation,
  MassRevocationRehearsal,
  RevokeCertificate,
} from '../contract/index.ts';
import type { CertificateStatus } from '../store/certificates.ts';
import { isWildcard, parseCertificateName } from '../x509/index.ts';
import { type Actor, requirePermission } from './actor.ts';
import { absent, type ControlDeps, invalid, notFound, performed } from './context.ts';
import { certificateDocument, certificateEventDocument, findingDocument, time, versionDocument } from './documents.ts';
import { decodeCursor, limitOf, type Page, type PageInput, pageOf } from './page.ts';
import type { CertificateView } from './ports/index.ts';

export interface CertificateListInput extends PageInput {
  readonly status?: CertificateStatus;
  readonly issuer?: string;
  readonly prefix?: string;
  readonly expires_within_days?: number;
}

export interface CertificateUseCases {
  create(actor: Actor, input: CreateCertificate): Promise<Certificate>;
  upload(actor: Actor, input: { chain_pem: string; private_key_pem: string }): Promise<Certificate>;
  list(actor: Actor, input: CertificateListInput): Promise<Page<Certificate>>;
  counts(actor: Actor): Promise<Record<CertificateStatus, number>>;
  /** By id, or by a name that it carries. */
  get(actor: Actor, reference: string): Promise<CertificateDetail>;
  renew(actor: Actor, reference: string): Promise<Certificate>;
  revoke(actor: Actor, reference: string, input: RevokeCertificate): Promise<Certificate>;
  /** What revoking many would do; doing it is a mission. */
  rehearseRevocation(actor: Actor, input: MassRevocation): Promise<MassRevocationRehearsal>;
  /** Gives up a person's own wish for it; it stays as long as something else refers to it. */
  release(actor: Actor, reference: string): Promise<void>;
  chain(actor: Actor, reference: string): Promise<string>;
  /** Steps after `after`, oldest first, and `served` once every data plane has the newest version. */
  events(actor: Actor, reference: string, after: number, limit: number): Promise<CertificateEvent[]>;
}

export function createCertificateUseCases(deps: ControlDeps): CertificateUseCases {
  const engine = deps.certificates;
  const find = async (reference: string): Promise<CertificateView> => {
    const view = reference.startsWith('crt_') ? await engine.get(reference) : await byName(deps, reference);
    if (view === undefined) throw notFound('certificate', reference, 'gatehouse certificates list');
    return view;
  };
  const document = (view: CertificateView) => certificateDocument(view, deps.clock.now());
  const act = (verb: string, resource: string, facts: Readonly<Record<string, unknown>> = {}) => ({
    permission: 'system.acme.manage' as const,
    action: `certificate.${verb}`,
    resource: `certificate:${resource.slice(0, 253)}`,
    facts,
  });

  return {
    create: (actor, input) => {
      const asked = [
        ...new Set([...(input.common_name === undefined ? [] : [input.common_name]), ...(input.names ?? [])]),
      ];
      return performed(
        deps,
        actor,
        act('create', asked[0] ?? '', { names: asked, issuers: input.issuers ?? null }),
        async () => {
          if (asked.length === 0) throw invalid('names', 'names_missing', 'a certificate needs at least one name');
          const offset = input.common_name === undefined ? 0 : -1;
          const names = asked.map((name, index) =>
            parseCertificateName(name, index + offset < 0 ? 'common_name' : `names[${index + offset}]`),
          );
          await checkChoices(deps, input, names);
          const id = await engine.ensure({
            names,
            ...(input.issuers !== undefined && { issuers: input.issuers }),
            ...(input.challenge !== undefined && { challenge: input.challenge }),
            ...(input.dns_credential_id !== undefined && { dnsCredentialId: input.dns_credential_id }),
            ...(input.key_type !== undefined && { keyType: input.key_type }),
            ...(input.profile !== undefined && { profile: input.profile }),
            ...(input.reuse_key !== undefined && { reuseKey: input.reuse_key }),
            reference: `person:${actor.name}`,
          });
          return document(await find(id));
        },
      );
    },
    upload: (actor, input) =>
      performed(deps, actor, act('upload', 'upload'), async () =>
        document(await find(await engine.upload(input.chain_pem, input.private_key_pem, `person:${actor.name}`))),
      ),
    async list(actor, input) {
      requirePermission(actor, 'system.acme.read');
      const limit = limitOf(input);
      const after = decodeCursor(input.cursor, 'string');
      const views = await engine.list(
        {
          ...(input.status !== undefined && { statuses: [input.status] }),
          ...(input.issuer !== undefined && { issuer: input.issuer }),
          ...(input.prefix !== undefined && { prefix: input.prefix.toLowerCase() }),
          ...(input.expires_within_days !== undefined && {
            expiresBefore: deps.clock.now() + input.expires_within_days * 86_400_000,
          }),
        },
        { limit: limit + 1, ...(after !== undefined && { after }) },
      );
      return pageOf(views, limit, ({ id }) => id, document);
    },
    counts(actor) {
      requirePermission(actor, 'system.acme.read');
      return engine.counts();
    },
    async get(actor, reference) {
      requirePermission(actor, 'system.acme.read');
      const view = await find(reference);
      const [versions, findings] = await Promise.all([
        engine.versions(view.id),
        deps.servingFindings?.of(view.id) ?? [],
      ]);
      return { ...document(view), versions: versions.map(versionDocument), findings: findings.map(findingDocument) };
    },
    renew: (actor, reference) =>
      performed(deps, actor, act('renew', reference), async () => {
        const { id } = await find(reference);
        await engine.renew(id);
        return document(await find(id));
      }),
    revoke: (actor, reference, input) =>
      performed(deps, actor, act('revoke', reference, { reason: input.reason ?? 'unspecified' }), async () => {
        const view = await find(reference);
        if (input.confirm.toLowerCase() !== view.names[0])
          throw invalid(
            'confirm',
            'not_confirmed',
            `revoking ${view.names[0]} takes it away from everybody at once and cannot be undone`,
            `confirm by giving its first name: ${view.names[0]}`,
          );
        await engine.revoke(view.id, input.reason ?? 'unspecified', input.replace ?? false);
        return document(await find(view.id));
      }),
    async rehearseRevocation(actor, input) {
      requirePermission(actor, 'system.acme.read');
      if (deps.massRevocation === undefined) throw absent('the certificate engine');
      const { issuer, key_sha256: keyDigest, issued_from: from, issued_until: until, per_hour: perHour = 100 } = input;
      await checkIssuers(deps, issuer === undefined ? undefined : [issuer]);
      const filter = {
        ...(issuer !== undefined && { issuerId: issuer }),
        ...(keyDigest !== undefined && { keyDigest }),
        ...(from !== undefined && { issuedFrom: Date.parse(from) }),
        ...(until !== undefined && { issuedUntil: Date.parse(until) }),
      };
      const { notServed, takesMs, examples, versions, served } = await deps.massRevocation.rehearse(filter, perHour);
      const takes = { per_hour: perHour, takes_seconds: Math.ceil(takesMs / 1000) };
      return { versions, served, not_served: notServed, ...takes, examples: [...examples] };
    },
    release: (actor, reference) =>
      performed(deps, actor, act('release', reference), async () => {
        const { id } = await find(reference);
        await engine.release(`person:${actor.name}`, id);
      }),
    async chain(actor, reference) {
      requirePermission(actor, 'system.acme.read');
      const { id, names } = await find(reference);
      const chain = await engine.chain(id);
      if (chain === undefined) throw notFound('certificate version for', names[0] ?? id, 'wait until it is issued');
      return chain;
    },
    async events(actor, reference, after, limit) {
      requirePermission(actor, 'system.acme.read');
      return certificateSteps(deps, (await find(reference)).id, after, limit);
    },
  };
}

/** Steps after `after`, oldest first, and `served` once every data plane has the newest version. */
export async function certificateSteps(
  deps: ControlDeps,
  id: string,
  after: number,
  limit: number,
): Promise<CertificateEvent[]> {
  const events = (await deps.certificates.events(id, after, limit)).map(certificateEventDocument);
  const last = events.at(-1)?.seq ?? after;
  const served = events.length < limit ? await servedEvent(deps, id, last) : undefined;
  return served === undefined ? events : [...events, served];
}

/** That the data planes have what was issued is not a step of the engine's, so it is seen here. */
async function servedEvent(deps: ControlDeps, id: string, seq: number): Promise<CertificateEvent | undefined> {
  const view = await deps.certificates.get(id);
  if (view?.served === undefined || view.status !== 'valid') return undefined;
  if (deps.delivered !== undefined && !(await deps.delivered(id, view.served.id))) return undefined;
  return {
    seq,
    at: time(deps.clock.now()),
    step: 'served',
    detail: `the certificate is served until ${inUtc(view.served.notAfter)}`,
    problem: null,
  };
}

async function byName(deps: ControlDeps, text: string): Promise<CertificateView | undefined> {
  const name = parseCertificateName(text, 'certificate');
  const views = await deps.certificates.list({ prefix: name }, { limit: 50 });
  const exact = views.filter(({ names }) => names.includes(name));
  // Of several, the one that is served, and of those the newest.
  return exact.findLast(({ served }) => served !== undefined) ?? exact.at(-1);
}

export async function checkIssuers(deps: ControlDeps, issuers: readonly string[] | undefined): Promise<void> {
  for (const [index, issuer] of (issuers ?? []).entries())
    if ((await deps.issuers.get(issuer)) === undefined)
      throw invalid(`issuers[${index}]`, 'unknown_issuer', `there is no issuer ${issuer}`, 'gatehouse issuers list');
}

async function checkChoices(deps: ControlDeps, input: CreateCertificate, names: readonly string[]): Promise<void> {
  await checkIssuers(deps, input.issuers);
  const credential = input.dns_credential_id;
  if (credential !== undefined && !(await deps.credentials.exists(credential)))
    throw invalid(
      'dns_credential_id',
      'unknown_dns_credential',
      `there is no DNS credential ${credential}`,
      'gatehouse dns-credentials list',
    );
  const needs = names.find((name) => isWildcard(name) || input.challenge?.startsWith('dns-'));
  if (needs !== undefined && credential === undefined && (await deps.credentials.credentialFor(needs)) === undefined)
    throw invalid(
      'dns_credential_id',
      'dns_credential_needed',
      `${needs} can be proved in DNS only, and no DNS credential may write into its zone`,
      'make one with: gatehouse dns-credentials create',
    );
  if (isWildcard(needs ?? '') && input.challenge?.startsWith('dns-') === false)
    throw invalid(
      'challenge',
      'invalid_challenge',
      `${needs} is a wildcard, which ${input.challenge} cannot prove`,
      'use dns-01',
    );
}

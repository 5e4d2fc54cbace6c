import type { CreateDnsCredential, DnsCredential, DnsProvider, DoctorFinding, TryIssue } from '../contract/index.ts';
import { parseCertificateName, parseDnsName } from '../x509/index.ts';
import { type Actor, requirePermission } from './actor.ts';
import { absent, type ControlDeps, invalid, notFound, performed } from './context.ts';
import { timeOrNull } from './documents.ts';
import type { DnsCredentialPort, DnsCredentialView, DoctorFinding as PortFinding } from './ports/index.ts';

export interface DnsCredentialUseCases {
  providers(actor: Actor): DnsProvider[];
  list(actor: Actor): Promise<DnsCredential[]>;
  get(actor: Actor, id: string): Promise<DnsCredential>;
  create(actor: Actor, input: CreateDnsCredential): Promise<DnsCredential>;
  remove(actor: Actor, id: string): Promise<void>;
  validate(actor: Actor, id: string): Promise<DnsCredential>;
  /** What an order for a name would meet, or what the whole installation meets. */
  doctor(actor: Actor, name: string | undefined): Promise<DoctorFinding[]>;
  /** One whole issue at a staging issuer, from the order to the chain. */
  tryIssue(actor: Actor, input: TryIssue): Promise<DoctorFinding[]>;
}

export function createDnsCredentialUseCases(deps: ControlDeps): DnsCredentialUseCases {
  const engine = (): DnsCredentialPort => {
    if (deps.dnsCredentials === undefined) throw absent('DNS-01');
    return deps.dnsCredentials;
  };
  const act = (verb: string, resource: string, facts = {}) => ({
    permission: 'system.acme.manage' as const,
    action: `dns_credential.${verb}`,
    resource: `dns_credential:${resource.slice(0, 100)}`,
    facts,
  });
  const find = async (id: string) => {
    const view = await engine().get(id);
    if (view === undefined) throw notFound('DNS credential', id, 'gatehouse dns-credentials list');
    return view;
  };
  return {
    providers(actor) {
      requirePermission(actor, 'system.acme.read');
      return engine()
        .providers()
        .map(({ id, name, fields }) => ({ id, name, fields: fields.map((field) => ({ ...field })) }));
    },
    async list(actor) {
      requirePermission(actor, 'system.acme.read');
      return (await engine().list()).map(document);
    },
    async get(actor, id) {
      requirePermission(actor, 'system.acme.read');
      return document(await find(id));
    },
    create: (actor, input) =>
      // Facts name the fields that were given, never what is in them.
      performed(
        deps,
        actor,
        act('create', input.name, {
          provider: input.provider,
          zones: input.zones ?? [],
          fields: Object.keys(input.fields),
        }),
        async () =>
          document(
            await engine().create({
              name: input.name,
              provider: input.provider,
              zones: input.zones ?? [],
              fields: input.fields,
            }),
          ),
      ),
    remove: (actor, id) =>
      performed(deps, actor, act('remove', id), async () => {
        await find(id);
        await engine().remove(id);
      }),
    validate: (actor, id) =>
      performed(deps, actor, act('validate', id), async () => {
        await find(id);
        return document(await engine().validate(id));
      }),
    async doctor(actor, name) {
      requirePermission(actor, 'system.acme.read');
      if (deps.doctor === undefined) throw absent('the doctor');
      const parsed = name === undefined ? undefined : parseDnsName(name, { wildcard: true, field: 'name' });
      return (await deps.doctor.examine(parsed)).map(findingDocument);
    },
    tryIssue: (actor, input) => {
      const issuerId = input.issuer ?? 'letsencrypt-staging';
      const facts = { issuer: issuerId };
      const resource = `name:${input.name.slice(0, 253)}`;
      const asked = { permission: 'system.acme.manage', action: 'certificate.try', resource, facts } as const;
      return performed(deps, actor, asked, async () => {
        if (deps.doctor === undefined) throw absent('the doctor');
        const name = parseCertificateName(input.name, 'name');
        const issuer = await deps.issuers.get(issuerId);
        if (issuer === undefined) throw notFound('issuer', issuerId, 'gatehouse issuers list');
        // An order at a production CA is spent, and its certificate is in the logs for ever.
        if (!issuer.staging)
          throw invalid(
            'issuer',
            'not_staging',
            `${issuerId} is not for trying`,
            'name one that is added with --staging',
          );
        return (await deps.doctor.tryIssue(name, issuerId)).map(findingDocument);
      });
    },
  };
}

const document = (view: DnsCredentialView): DnsCredential => ({
  id: view.id,
  name: view.name,
  provider: view.provider,
  zones: [...view.zones],
  secret_path: view.secretPath,
  validation: view.validation,
  validated_at: timeOrNull(view.validatedAt),
  validation_detail: view.validationDetail ?? null,
  created_at: new Date(view.createdAt).toISOString(),
});

const findingDocument = (finding: PortFinding): DoctorFinding => ({ ...finding, advice: finding.advice ?? null });

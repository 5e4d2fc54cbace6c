import type { CaAuthority, ImportCa, RollOverCa, SystemCa, SystemStatus } from '../contract/index.ts';
import { domainById } from '../store/domains.ts';
import { type Change, changesSince, latestChange } from '../store/index.ts';
import { type Actor, requirePermission } from './actor.ts';
import { absent, attempted, type ControlDeps } from './context.ts';
import { time } from './documents.ts';
import { countRows, overview } from './overview.ts';
import type { AuthorityView } from './ports/index.ts';

export interface SystemUseCases {
  /** Counts and what needs a person, of what the actor may see. */
  status(actor: Actor): Promise<SystemStatus>;
  /** What changed after `seq`, of what the actor may see, and how far that is. */
  changes(actor: Actor, seq: number, limit: number): Promise<{ changes: Change[]; last: number }>;
  newestChange(actor: Actor): Promise<number>;
  /** The root that clients must trust. Public by nature, so every token may read it. */
  ca(): Promise<SystemCa>;
  authorities(actor: Actor): Promise<CaAuthority[]>;
  rollOverCa(actor: Actor, input: RollOverCa): Promise<CaAuthority>;
  importCa(actor: Actor, input: ImportCa): Promise<CaAuthority>;
  /** Prometheus text of what the store counts. */
  metrics(): Promise<string>;
  /** Throws when the store cannot be read. */
  ready(): Promise<void>;
}

export function createSystemUseCases(deps: ControlDeps): SystemUseCases {
  const { store } = deps;
  const hierarchy = () => {
    if (deps.acmeServer?.hierarchy === undefined) throw absent('the certificate authority');
    return deps.acmeServer.hierarchy;
  };
  const act = (action: string, facts: object = {}) => ({
    permission: 'system.acme.manage' as const,
    action,
    resource: 'ca',
    facts: { ...facts },
  });
  return {
    async status(actor) {
      requirePermission(actor, 'system.acme.read');
      return overview(deps);
    },
    async changes(actor, seq, limit) {
      requirePermission(actor, 'apps.read');
      const all = await changesSince(store.db, seq, limit);
      const seen = actor.apps === undefined ? all : await ofApps(deps, all, actor.apps);
      return { changes: seen, last: all.at(-1)?.seq ?? seq };
    },
    newestChange(actor) {
      requirePermission(actor, 'apps.read');
      return latestChange(store.db);
    },
    async ca() {
      if (deps.acmeServer === undefined) throw absent('the certificate authority');
      return { root_pem: await deps.acmeServer.rootPem(), root_file: deps.caRootFile ?? null };
    },
    async authorities(actor) {
      requirePermission(actor, 'system.acme.read');
      return hierarchy().list().map(authorityDocument);
    },
    rollOverCa: (actor, { root = false }) =>
      attempted(deps, actor, act('ca_authority.roll_over', { root }), async () =>
        authorityDocument(await hierarchy().rollOver({ root }, actor.name)),
      ),
    importCa: (actor, { chain_pem: chainPem, key_pem: pem, passphrase }) =>
      attempted(deps, actor, act('ca_authority.import'), async () =>
        authorityDocument(
          await hierarchy().import({ chainPem, key: { pem, ...(passphrase && { passphrase }) } }, actor.name),
        ),
      ),
    async metrics() {
      const [certificates, apps, domains] = await Promise.all([
        deps.certificates.counts(),
        countRows(deps, 'app'),
        countRows(deps, 'domain'),
      ]);
      const lines = ['# HELP gatehouse_certificates Certificates by status.', '# TYPE gatehouse_certificates gauge'];
      for (const [status, n] of Object.entries(certificates))
        lines.push(`gatehouse_certificates{status="${status}"} ${n}`);
      lines.push('# HELP gatehouse_apps Apps.', '# TYPE gatehouse_apps gauge', `gatehouse_apps ${apps}`);
      lines.push('# HELP gatehouse_domains Domains.', '# TYPE gatehouse_domains gauge', `gatehouse_domains ${domains}`);
      lines.push(...(await findingMetrics(deps)), ...(await quotaMetrics(deps)));
      return `${lines.join('\n')}\n${(await deps.acmeServer?.metrics?.()) ?? ''}${deps.edge?.metrics() ?? ''}`;
    },
    async ready() {
      await latestChange(store.db);
    },
  };
}

async function findingMetrics({ servingFindings }: ControlDeps): Promise<string[]> {
  if (servingFindings === undefined) return [];
  const { names } = await servingFindings.standing(0);
  return [
    '# HELP gatehouse_served_otherwise Names for which clients are shown something else than what was issued.',
    '# TYPE gatehouse_served_otherwise gauge',
    ...[...names].map(([publisher, n]) => `gatehouse_served_otherwise{publisher="${publisher}"} ${n}`),
  ];
}

/** Limits in use, the fullest of each issuer. */
async function quotaMetrics(deps: ControlDeps): Promise<string[]> {
  const lines = [
    '# HELP gatehouse_issuer_quota_left What is left of a limit of an issuer that is in use.',
    '# TYPE gatehouse_issuer_quota_left gauge',
  ];
  for (const { id, quota } of await deps.issuers.list())
    for (const { limit, scope, used, most } of quota)
      lines.push(`gatehouse_issuer_quota_left{issuer="${id}",limit="${limit}",scope="${scope}"} ${most - used}`);
  return lines.length > 2 ? lines : [];
}

const authorityDocument = ({ id, kind, state, notAfter, pem }: AuthorityView): CaAuthority => ({
  id,
  kind,
  state,
  not_after: time(notAfter),
  certificate_pem: pem,
});

/** Those about the apps and their domains; what is gone belongs to nobody any more. */
async function ofApps({ store }: ControlDeps, all: readonly Change[], apps: ReadonlySet<string>): Promise<Change[]> {
  const seen: Change[] = [];
  for (const change of all) {
    if (change.kind === 'app' && apps.has(change.key)) seen.push(change);
    if (change.kind !== 'domain') continue;
    const row = await domainById(store.db, change.key);
    if (row !== undefined && apps.has(row.app_id)) seen.push(change);
  }
  return seen;
}

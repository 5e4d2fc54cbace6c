import type { Kysely } from 'kysely';
import { Migrator } from 'kysely/migration';
import { Fault } from '../../base/index.ts';
import { foundation } from './010-foundation.ts';
import { ca } from './100-ca.ts';
import { acme } from './101-acme.ts';
import { acmeOpenOrders } from './102-acme-open-orders.ts';
import { acmeReplicas } from './103-acme-replicas.ts';
import { acmeTerms } from './104-acme-terms.ts';
import { acmeUpstream } from './105-acme-upstream.ts';
import { certificates } from './200-certificates.ts';
import { certificateRenewals } from './250-certificate-renewals.ts';
import { versionIndexes } from './251-version-indexes.ts';
import { dns } from './300-dns.ts';
import { dnsOwner } from './301-dns-owner.ts';
import { apps } from './400-apps.ts';
import { tokens } from './401-tokens.ts';
import { audit } from './402-audit.ts';
import { imports, webhooks } from './403-imports.ts';
import { onDemand } from './405-on-demand.ts';
import { delegated } from './406-delegated.ts';
import { domainLists } from './407-domain-lists.ts';
import { tokenPersons } from './408-token-persons.ts';
import { auditSeals } from './409-audit-seals.ts';
import { networks } from './500-networks.ts';
import { missions } from './501-missions.ts';
import { missionStandings } from './502-mission-standings.ts';
import { deliveries } from './600-deliveries.ts';
import { seenFacts } from './601-seen-facts.ts';
import { followers } from './602-followers.ts';
import { openChallenges } from './603-open-challenges.ts';
import { type ColumnTypes, columnTypes, type Dialect } from './columns.ts';

/** One step of the schema. A step that has been released is never edited: a later step mends it. */
export type Step = (db: Kysely<unknown>, types: ColumnTypes) => Promise<void>;

// Names sort in the order in which steps run; each room numbers its own in its own decade.
const STEPS: Record<string, Step> = {
  '010-foundation': foundation,
  '100-ca': ca,
  '101-acme': acme,
  '102-acme-open-orders': acmeOpenOrders,
  '103-acme-replicas': acmeReplicas,
  '104-acme-terms': acmeTerms,
  '105-acme-upstream': acmeUpstream,
  '200-certificates': certificates,
  '250-certificate-renewals': certificateRenewals,
  '251-version-indexes': versionIndexes,
  '300-dns': dns,
  '301-dns-owner': dnsOwner,
  '400-apps': apps,
  '401-tokens': tokens,
  '402-audit': audit,
  '403-imports': imports,
  '404-webhooks': webhooks,
  '405-on-demand': onDemand,
  '406-delegated': delegated,
  '407-domain-lists': domainLists,
  '408-token-persons': tokenPersons,
  '409-audit-seals': auditSeals,
  '500-networks': networks,
  '501-missions': missions,
  '502-mission-standings': missionStandings,
  '600-deliveries': deliveries,
  '601-seen-facts': seenFacts,
  '602-followers': followers,
  '603-open-challenges': openChallenges,
};

export async function migrate<Schema>(db: Kysely<Schema>, dialect: Dialect): Promise<void> {
  const types = columnTypes(dialect);
  const migrator = new Migrator({
    db: db as Kysely<unknown>,
    allowUnorderedMigrations: true,
    provider: {
      getMigrations: async () =>
        Object.fromEntries(
          Object.entries(STEPS).map(([name, step]) => [name, { up: (target: Kysely<unknown>) => step(target, types) }]),
        ),
    },
  });
  const { error } = await migrator.migrateToLatest();
  if (error !== undefined) throw isOfNewer(error) ? newerStore(error) : error;
}

/** Kysely has no class for it: the store knows a step that this version does not have. */
const isOfNewer = (error: unknown): boolean =>
  error instanceof Error && /previously executed migration .* is missing/.test(error.message);

const newerStore = (cause: unknown): Fault =>
  new Fault(
    {
      code: 'store_is_newer',
      detail: 'a newer version of Gatehouse has changed this store, and this version cannot read it',
      party: 'operator',
      retry: 'never',
      advice: 'start the newer version, or restore a backup from before it (gatehouse restore FILE --force)',
    },
    cause,
  );

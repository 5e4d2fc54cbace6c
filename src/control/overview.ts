import type { SystemStatus } from '../contract/index.ts';
import { latestChange } from '../store/index.ts';
import { countByDaysLeft, countDomainsByDns, countWaitingMissions, nextRenewals } from '../store/overview.ts';
import type { ControlDeps } from './context.ts';
import { certificateDocument, findingDocument, time, timeOrNull } from './documents.ts';
import { edgeTraffic } from './edge-traffic.ts';

const DAY = 86_400_000;
const RUNWAY_DAYS = [1, 7, 14, 30, 60, 90] as const;
const SHOWN = 20;
const RENEWALS_SHOWN = 12;

/** Everything at a glance, and first what needs a person. */
export async function overview(deps: ControlDeps): Promise<SystemStatus> {
  const { store, certificates } = deps;
  const now = deps.clock.now();
  const [counts, apps, domains, byDns, failing, ending, runway, renewals, waiting, found] = await Promise.all([
    certificates.counts(),
    countRows(deps, 'app'),
    countRows(deps, 'domain'),
    countDomainsByDns(store.db),
    certificates.list({ statuses: ['failed', 'expired'] }, { limit: SHOWN }),
    certificates.list({ expiresBefore: now + 30 * DAY }, { limit: SHOWN }),
    countByDaysLeft(store.db, RUNWAY_DAYS, now),
    nextRenewals(store.db, RENEWALS_SHOWN),
    countWaitingMissions(store.db, now),
    deps.servingFindings?.standing(SHOWN),
  ]);
  const next = await certificates.getMany(renewals.map(({ id }) => id));
  const document = (view: (typeof next)[number]) => certificateDocument(view, now);
  return {
    time: time(now),
    change: await latestChange(store.db),
    apps,
    domains: { total: domains, by_dns: byDns },
    certificates: { ...counts },
    needs_attention: failing.map(document),
    findings: (found?.findings ?? []).map(findingDocument),
    ca_findings: [...(deps.acmeServer?.hierarchy?.findings() ?? [])],
    ending_soon: ending.map(document),
    runway: runway.map((count, i) => ({ within_days: i === 0 ? 0 : (RUNWAY_DAYS[i - 1] ?? null), count })),
    next_renewals: next.toSorted((a, b) => (a.renewAt ?? 0) - (b.renewAt ?? 0)).map(document),
    missions_waiting: waiting,
    publishers: (deps.ingress?.publishers?.() ?? []).map(({ name, upToDateAt, pending, lastProblem }) => ({
      name,
      up_to_date_at: timeOrNull(upToDateAt),
      pending,
      problem: lastProblem === undefined ? null : { detail: lastProblem.detail, advice: lastProblem.advice ?? null },
    })),
    edge: edgeTraffic(deps.edge?.numbers() ?? []),
    issuers: (await deps.issuers.list()).map(({ id, quota }) => ({
      id,
      quota: quota.map(({ resetsAt, ...rest }) => ({ ...rest, resets_at: time(resetsAt) })),
    })),
  };
}

export async function countRows({ store }: ControlDeps, table: 'app' | 'domain'): Promise<number> {
  const row = await store.db
    .selectFrom(table)
    .select((e) => e.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow();
  return Number(row.count);
}

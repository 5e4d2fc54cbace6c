import { type Identifier, problemTypeOf, problemUrn } from '../acme/index.ts';
import { type Fault, faultOf } from '../base/index.ts';
import { type AcmeOrderRow, completeOrder, findOrder, moveOrder } from '../store/acme-orders.ts';
import {
  type AcmeUpstreamOrderRow,
  claimUpstreamOrder,
  deleteUpstreamOrder,
  dueUpstreamOrders,
  insertUpstreamChain,
  releaseUpstreamOrders,
  updateUpstreamOrder,
} from '../store/acme-upstream.ts';
import { appendAudit } from '../store/audit.ts';
import { insertCertificate } from '../store/ca.ts';
import { parseChain } from '../x509/index.ts';
import { type AcmeMetrics, countIssued } from './metrics.ts';
import { requireOtherCa } from './own-directory.ts';
import type { AcmeServerDeps, UpstreamIssuers } from './services.ts';
import { planUpstreamRetry } from './upstream-retry.ts';

type CountingDeps = AcmeServerDeps & { readonly metrics: AcmeMetrics };

/** Orders of profiles before another CA: finalized here, and `processing` until that CA has said yes or no. */
export interface UpstreamOrders {
  /** Looks at once for what is due. */
  wake(): void;
  run(signal: AbortSignal): Promise<void>;
}

const MOST_AT_ONCE = 16;
const SWEEP_MS = 5_000;
/** Longer than any order upstream may take, after which another process may take it up. */
const LEASE_MS = 20 * 60_000;

/** The issuer in `authority_id` of a certificate that another CA issued; undefined for one of ours. */
export const upstreamIssuerOf = (authorityId: string): string | undefined =>
  authorityId.startsWith('issuer:') ? authorityId.slice(7) : undefined;

export function createUpstreamOrders(deps: CountingDeps): UpstreamOrders {
  const { store, clock, logger } = deps;
  const underWay = new Set<string>();
  const ended = new AbortController();
  let looking = false;
  let again = false;

  async function look(): Promise<void> {
    const upstream = deps.upstream?.();
    if (upstream === undefined || ended.signal.aborted) return;
    for (const row of await dueUpstreamOrders(store.db, clock.now(), MOST_AT_ONCE)) {
      if (underWay.size >= MOST_AT_ONCE) return;
      if (underWay.has(row.order_id)) continue;
      if (!(await store.write((tx) => claimUpstreamOrder(tx, row, clock.now() + LEASE_MS)))) continue;
      underWay.add(row.order_id);
      attempt(deps, upstream, row, ended.signal)
        .catch((error: unknown) => {
          if (!ended.signal.aborted) logger.error({ err: error, order: row.order_id }, 'an upstream order got lost');
        })
        .finally(() => {
          underWay.delete(row.order_id);
          wake();
        });
    }
  }

  function wake(): void {
    again = true;
    if (looking) return;
    looking = true;
    const turns = async () => {
      while (again) {
        again = false;
        await look();
      }
    };
    turns()
      .catch((error: unknown) => {
        if (!ended.signal.aborted) logger.warn({ err: error }, 'upstream orders could not be looked at');
      })
      .finally(() => {
        looking = false;
        if (again && !ended.signal.aborted) wake();
      });
  }

  return {
    wake,
    async run(signal) {
      signal.addEventListener('abort', () => ended.abort(signal.reason), { once: true });
      if (deps.alone === true) await store.write((tx) => releaseUpstreamOrders(tx, clock.now()));
      while (!signal.aborted) {
        wake();
        await clock.sleep(SWEEP_MS, signal).catch(() => {});
      }
    },
  };
}

async function attempt(
  deps: CountingDeps,
  upstream: UpstreamIssuers,
  row: AcmeUpstreamOrderRow,
  signal: AbortSignal,
): Promise<void> {
  const order = await findOrder(deps.store.db, row.order_id);
  if (order?.csr == null || order.state !== 'processing')
    return deps.store.write((tx) => deleteUpstreamOrder(tx, row.order_id));
  let chain: string;
  try {
    // The issuer may have been pointed here after the profile was made.
    await requireOtherCa(deps, upstream, row.issuer_id);
    chain = await upstream.obtain({
      issuerId: row.issuer_id,
      names: (JSON.parse(order.identifiers) as Identifier[]).map(({ value }) => value),
      csr: order.csr,
      onOrder: (url) => deps.store.write((tx) => updateUpstreamOrder(tx, row.order_id, { url })),
      signal,
      ...(row.url !== null && { resume: row.url }),
    });
  } catch (error) {
    if (signal.aborted) throw error;
    return recordFailure(deps, row, order, faultOf(error));
  }
  await recordChain(deps, row, order, chain);
}

async function recordChain(deps: CountingDeps, row: AcmeUpstreamOrderRow, order: AcmeOrderRow, pem: string) {
  const { leaf, keyDigest, notBefore, notAfter } = parseChain(pem);
  const serial = leaf.serial.toString('hex');
  const names = (JSON.parse(order.identifiers) as Identifier[]).map(({ value }) => value);
  const done = await deps.store.write(async (tx) => {
    if (!(await completeOrder(tx, order.id, 'processing', serial))) return false;
    await insertCertificate(tx, {
      serial,
      authority_id: `issuer:${row.issuer_id}`,
      profile_id: order.profile_id,
      account_id: order.account_id,
      order_id: order.id,
      spki_hash: keyDigest,
      names: JSON.stringify(names),
      certificate: leaf.der,
      not_before: notBefore,
      not_after: notAfter,
      revoked_at: null,
      reason: null,
      replaced_by: null,
    });
    await insertUpstreamChain(tx, { serial, issuer_id: row.issuer_id, chain: pem, not_after: notAfter });
    await deleteUpstreamOrder(tx, order.id);
    await appendAudit(tx, {
      actor: 'acme-system:upstream',
      action: 'acme_certificate.issue',
      resource: `acme_certificate:${serial}`,
      facts: { profile: order.profile_id, order: order.id, account: order.account_id, issuer: row.issuer_id, names },
      at: deps.clock.now(),
    });
    return true;
  });
  if (done) countIssued(deps.metrics, order.profile_id, row.issuer_id);
}

/** What the upstream CA refuses ends the order, with its words; what may pass is tried again until the order's end. */
async function recordFailure(deps: CountingDeps, row: AcmeUpstreamOrderRow, order: AcmeOrderRow, fault: Fault) {
  const now = deps.clock.now();
  const plan = planUpstreamRetry(fault, { attempts: row.attempts + 1, expiresAt: order.expires_at, now });
  const said = `${row.issuer_id}, by which this profile issues: ${fault.message}`;
  deps.logger.warn({ order: order.id, issuer: row.issuer_id, detail: fault.message, plan }, 'an upstream order failed');
  if (plan.kind === 'again') {
    await deps.store.write((tx) => updateUpstreamOrder(tx, order.id, { attempts: row.attempts + 1, next_at: plan.at }));
    return;
  }
  const type = problemTypeOf(fault.code) ?? 'serverInternal';
  const subproblems = (fault.details.problems ?? []).map(({ code, detail }) => ({ type: code, detail }));
  const problem = { type: problemUrn(type), detail: said, ...(subproblems.length > 0 && { subproblems }) };
  const ended = await deps.store.write(async (tx) => {
    await deleteUpstreamOrder(tx, order.id);
    if (!(await moveOrder(tx, order.id, 'processing', { state: 'invalid', error: JSON.stringify(problem) })))
      return false;
    await appendAudit(tx, {
      actor: 'acme-system:upstream',
      action: 'acme_order.fail',
      resource: `acme_order:${order.id}`,
      outcome: 'failed',
      facts: { profile: order.profile_id, issuer: row.issuer_id, problem: problem.type, detail: said },
      at: now,
    });
    return true;
  });
  if (ended) deps.metrics.count('gatehouse_acme_orders_total', { profile: order.profile_id, result: 'invalid' });
}

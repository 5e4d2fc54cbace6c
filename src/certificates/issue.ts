import { createPrivateKey, type KeyObject } from 'node:crypto';
import { problemTypeOf } from '../acme/index.ts';
import type { AcmeClient, ChallengeSolver, Obtained, ObtainStep } from '../acme-client/index.ts';
import { Fault, newId } from '../base/index.ts';
import { appendEvent } from '../store/certificate-events.ts';
import { type CertificateVersionRow, issuedBefore } from '../store/certificate-versions.ts';
import type { CertificateRow } from '../store/certificates.ts';
import type { Db } from '../store/index.ts';
import type { IssuerRow } from '../store/issuers.ts';
import { keyPem } from '../x509/index.ts';
import type { Attempt } from './attempt.ts';
import { namesOf, type OpenOrder } from './facts.ts';
import { setAside } from './open-order.ts';
import { failedNames, note } from './outcome.ts';
import type { Engine } from './ports.ts';
import { RECOUNT_AFTER_MS } from './quota.ts';
import { countFailures, quotaFault, recountQuota, reserveQuota } from './quota-ledger.ts';
import { limitedBy, solversFor } from './solver-choice.ts';

export interface Begun {
  readonly client: AcmeClient;
  readonly key: KeyObject;
  readonly solvers: readonly ChallengeSolver[];
  /** Filled in as the order goes on. */
  readonly progress: Progress;
}

export interface Progress {
  /** As it is in the store. */
  order: OpenOrder;
  /** Type by which the last name was validated. */
  challenge?: string;
  /** Notes on their way into the store. */
  notes: Promise<void>;
}

/** Everything that must be durable before the CA is asked: the key, the order's place, what it takes of the quota. */
export async function begin(attempt: Attempt, issuer: IssuerRow, open: OpenOrder | undefined): Promise<Begun> {
  const { engine, connections, lease, row, served, why } = attempt;
  const { store, secrets, clock } = engine;
  const names = namesOf(row);
  const client = connections.client(issuer);
  const solvers = await solversFor(engine.solvers, row, names, served?.challenge ?? undefined);
  if (open !== undefined) {
    const pem = await secrets.get(open.keyPath);
    if (pem !== undefined) {
      const progress: Progress = { order: open, notes: Promise.resolve() };
      return { client, key: createPrivateKey(Buffer.from(pem)), solvers, progress };
    }
  }
  const { methods } = await preflight(attempt, issuer, names);
  const order = await planOrder(attempt, issuer, client);
  const status = served !== undefined ? 'renewing' : 'issuing';
  const replaced = await store.write(async (tx) => {
    const old = await setAside(attempt, tx);
    const refused = await reserveQuota(tx, issuer, names, order.nature, clock.now());
    // Thrown here, so that the order that was kept stays.
    if (refused !== undefined) throw quotaFault(issuer.id, refused, spreadOf(attempt));
    await lease.update(tx, { open_order: JSON.stringify(order), status });
    const words = `asking ${issuer.id} for ${names.join(', ')}: ${why}`;
    const facts = { issuer: issuer.id };
    await appendEvent(tx, { certificateId: row.id, at: clock.now(), kind: 'attempt', words, facts });
    return old;
  });
  if (replaced !== undefined) await secrets.delete(replaced.keyPath);
  // Before the CA is asked: a chain whose key was lost is a certificate wasted.
  const key = await keyFor(engine, row, served);
  await secrets.put(order.keyPath, Buffer.from(keyPem(key)));
  return { client, key, solvers: limitedBy(methods, solvers), progress: { order, notes: Promise.resolve() } };
}

/** Those that wait for a limit come back apart from each other; where somebody waits, at the first moment. */
const spreadOf = ({ engine, row }: Attempt): number => (row.wanted === 'now' ? 0 : engine.random());

async function planOrder(attempt: Attempt, issuer: IssuerRow, client: AcmeClient): Promise<OpenOrder> {
  const { engine, lease, row, served } = attempt;
  const now = engine.clock.now();
  const versionId = newId('ver', now);
  const replaces = await replacedId(client, issuer, served, lease.signal);
  // For a CA that never issued these names a renewal is a new order, however long another CA has had them.
  const before = await issuedBefore(engine.store.db, row.id, issuer.id);
  return {
    issuerId: issuer.id,
    versionId,
    keyPath: `certificates/${row.id}/${versionId}/key`,
    ...(replaces !== undefined && { replaces }),
    nature: replaces !== undefined ? 'replacement' : before ? 'renewal' : 'new',
    countedAt: now,
  };
}

/** What would make the CA refuse for certain is found before anything is spent. */
async function preflight(
  attempt: Attempt,
  issuer: IssuerRow,
  names: readonly string[],
): Promise<{ methods: ReadonlyMap<string, readonly string[]> }> {
  const { engine, lease, row } = attempt;
  const found = await engine.preflight?.check({
    names,
    issuerId: issuer.id,
    challenge: row.challenge,
    signal: lease.signal,
    ...(row.dns_credential_id !== null && { dnsCredentialId: row.dns_credential_id }),
  });
  if (found === undefined) return { methods: new Map() };
  if (found.words.length > 0) await note(attempt, 'preflight', found.words.join('; '));
  if (found.blocking !== undefined) throw found.blocking;
  return found;
}

/** RFC 9773 §5: only at the CA that issued it, and only where that CA knows renewal information. */
async function replacedId(
  client: AcmeClient,
  issuer: IssuerRow,
  served: CertificateVersionRow | undefined,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (served?.ari_id == null || served.issuer_id !== issuer.id || served.revoked_at !== null) return undefined;
  const { renewalInfo } = await client.directory(signal);
  return renewalInfo === undefined ? undefined : served.ari_id;
}

async function keyFor(
  engine: Engine,
  row: CertificateRow,
  served: CertificateVersionRow | undefined,
): Promise<KeyObject> {
  const kept = row.reuse_key === 1 && served !== undefined ? await engine.secrets.get(served.key_path) : undefined;
  return kept === undefined ? engine.newKey(row.key_type) : createPrivateKey(Buffer.from(kept));
}

/** The whole conversation with the CA. A lost account is registered again, once an attempt. */
export async function obtain(attempt: Attempt, issuer: IssuerRow, begun: Begun): Promise<Obtained> {
  const { engine, connections, lease, row } = attempt;
  const { client, key, solvers, progress } = begun;
  const profile = row.profile ?? issuer.profile ?? undefined;
  for (let again = false; ; again = true) {
    const account = await connections.accounts.of(issuer, client, lease.signal);
    try {
      return await engine.acme.obtain({
        client,
        account,
        names: namesOf(row),
        key,
        solvers,
        timeoutMs: engine.orderMs,
        signal: lease.signal,
        onStep: (step) => follow(attempt, issuer, begun, step),
        beforeOrder: (replaces) => countOrder(attempt, issuer, progress, replaces),
        ...(profile !== undefined && { profile }),
        ...(progress.order.replaces !== undefined && { replaces: progress.order.replaces }),
        ...(issuer.preferred_chain !== null && { preferredChain: issuer.preferred_chain }),
        ...(progress.order.url !== undefined && { resume: progress.order.url }),
      });
    } catch (error) {
      const lost = error instanceof Fault && problemTypeOf(error.code) === 'accountDoesNotExist';
      if (!lost || again) throw error;
      await note(attempt, 'account', `${issuer.id} no longer knows our account; registering again`);
      await connections.accounts.lost(issuer.id);
    } finally {
      await progress.notes;
    }
  }
}

/**
 * Before the CA is asked for an order: one that was counted long ago is counted as of now, and one that is not what was
 * counted, another order or no replacement after all, is counted too. Throws where the quota does not allow it.
 */
async function countOrder(attempt: Attempt, issuer: IssuerRow, progress: Progress, replaces: boolean): Promise<void> {
  const { engine, lease, row } = attempt;
  const { order } = progress;
  const names = namesOf(row);
  const now = engine.clock.now();
  const isReplacement = order.nature === 'replacement';
  const nature = isReplacement && !replaces ? 'renewal' : order.nature;
  const counted = async (tx: Db) => {
    if (nature !== order.nature) return reserveQuota(tx, issuer, names, nature, now);
    if (order.url !== undefined) return reserveQuota(tx, issuer, names, nature, now, 'order');
    return recountQuota(tx, issuer, names, nature, { since: order.countedAt, now, ordered: false });
  };
  if (nature === order.nature && order.url === undefined && now - order.countedAt <= RECOUNT_AFTER_MS) return;
  progress.order = await engine.store.write(async (tx) => {
    const refused = await counted(tx);
    if (refused !== undefined) throw quotaFault(issuer.id, refused, spreadOf(attempt));
    const isAnother = nature === order.nature && order.url !== undefined;
    const next: OpenOrder = { ...order, nature, countedAt: isAnother ? order.countedAt : now };
    await lease.update(tx, { open_order: JSON.stringify(next) });
    return next;
  });
}

/** The order's place is durable before anything else is done with it; the other steps are told as they go by. */
async function follow(attempt: Attempt, issuer: IssuerRow, { progress }: Begun, step: ObtainStep): Promise<void> {
  const { engine, lease, row } = attempt;
  const { kind, words, name, type, url, failed } = step;
  if (kind === 'validation' && type !== undefined) progress.challenge = type;
  if (kind === 'issued') return;
  const now = engine.clock.now();
  const { order } = progress;
  // The CA counts the certificate when it issues it.
  const isLate = kind === 'finalize' && now - order.countedAt > RECOUNT_AFTER_MS;
  if (kind === 'order' && url !== undefined) progress.order = { ...order, url };
  if (isLate) progress.order = { ...order, countedAt: now };
  const changed = progress.order === order ? undefined : JSON.stringify(progress.order);
  const written = engine.store.write(async (tx) => {
    if (isLate)
      await recountQuota(tx, issuer, namesOf(row), order.nature, { since: order.countedAt, now, ordered: true });
    if (changed !== undefined) await lease.update(tx, { open_order: changed });
    if (failed !== undefined) await countFailures(tx, issuer, failedNames(namesOf(row), failed), now);
    const facts = { ...(name !== undefined && { name }), ...(type !== undefined && { type }), ...(url && { url }) };
    await appendEvent(tx, { certificateId: row.id, at: now, kind, words, facts });
  });
  if (changed !== undefined) return written;
  progress.notes = Promise.all([progress.notes, written]).then(
    () => {},
    () => {},
  );
}

import type { ChallengeType } from '../acme/index.ts';
import { errorText } from '../base/index.ts';
import { appById } from '../store/apps.ts';
import {
  claimsToLapse,
  type DomainRow,
  domainById,
  domainByName,
  domainsByCertificate,
  domainsToLookAt,
  updateDomain,
} from '../store/domains.ts';
import { appendAudit, recordChange } from '../store/index.ts';
import { isWildcard } from '../x509/index.ts';
import { type DomainsDeps, txtProof } from './domains.ts';
import { type Judgement, judge } from './judge.ts';
import { isLocal, wildcardAbove } from './names.ts';
import { pauseBeforeLook } from './next-look.ts';
import type { DelegatedCertificate, DomainSettings, NameLook } from './ports.ts';

export type DomainStep = 'want' | 'look' | 'lapse' | 'rest';

const DNS_ONLY = (row: DomainRow) => row.challenge?.startsWith('dns-') === true || isWildcard(row.name);

/** Whether a certificate can be got now, as far as DNS is known. What cannot be judged is tried: the CA will say. */
export function canIssue(row: DomainRow, settings: DomainSettings): boolean {
  if (row.lapsed_at !== null || settings.delegated === true) return false;
  if (row.on_demand === 1 && row.demanded_at === null) return false;
  if (row.dns_state === 'local' || row.dns_state === 'configured' || DNS_ONLY(row)) return true;
  return row.dns_state === 'unknown' && row.looked_at !== null;
}

/** The next step of a domain. Pure. */
export function planDomain(row: DomainRow, settings: DomainSettings, now: number): DomainStep {
  if (row.lapsed_at !== null) return 'rest';
  if (row.lapses_at !== null && row.lapses_at <= now) return 'lapse';
  if (row.certificate_id === null && canIssue(row, settings)) return 'want';
  return row.next_look_at !== null && row.next_look_at <= now ? 'look' : 'rest';
}

/** Takes every step that is due for one domain, and answers its row afterwards. */
export async function reconcileDomain(deps: DomainsDeps, id: string): Promise<DomainRow | undefined> {
  for (let steps = 0; steps < 5; steps++) {
    const row = await domainById(deps.store.db, id);
    if (row === undefined) return undefined;
    const step = planDomain(row, deps.settings, deps.clock.now());
    if (step === 'rest') return row;
    if (step === 'want') await wantCertificate(deps, row);
    else if (step === 'lapse') await lapse(deps, row);
    else await lookAgain(deps, row);
  }
  return domainById(deps.store.db, id);
}

/** Names of the certificate that covers a domain: a wildcard where the platform or the app has one. */
async function coveringWish(deps: DomainsDeps, row: DomainRow) {
  const own = {
    names: [row.name],
    ...(row.issuers !== null && { issuers: JSON.parse(row.issuers) as string[] }),
    ...(row.challenge !== null && { challenge: row.challenge as ChallengeType }),
    ...(row.dns_credential_id !== null && { dnsCredentialId: row.dns_credential_id }),
    reference: `domain:${row.id}`,
  };
  const wildcard = wildcardAbove(row.name);
  if (wildcard === undefined || row.dns_credential_id !== null) return own;
  if (row.kind === 'auto') {
    const credential = await deps.credentials.credentialFor(wildcard);
    return credential === undefined
      ? own
      : { ...own, names: [wildcard], dnsCredentialId: credential, challenge: 'dns-01' as const };
  }
  const above = await domainByName(deps.store.db, wildcard);
  if (above?.app_id !== row.app_id || above.lapsed_at !== null || above.issuers !== row.issuers) return own;
  return {
    ...own,
    names: [wildcard],
    challenge: 'dns-01' as const,
    ...(above.dns_credential_id !== null && { dnsCredentialId: above.dns_credential_id }),
  };
}

async function wantCertificate(deps: DomainsDeps, row: DomainRow): Promise<void> {
  const certificateId = await deps.certificates.ensure(await coveringWish(deps, row));
  const kept = await deps.store.write(async (tx) => {
    if ((await domainById(tx, row.id)) === undefined) return false;
    const now = deps.clock.now();
    await updateDomain(tx, row.id, { certificate_id: certificateId, next_look_at: nextLook(row, now) }, now);
    await recordChange(tx, 'domain', row.id, now);
    return true;
  });
  // It was removed while the certificate was asked for.
  if (!kept) await deps.certificates.release(`domain:${row.id}`);
}

const nextLook = (row: Pick<DomainRow, 'dns_state' | 'looks' | 'looked_at'>, now: number): number | null => {
  if (row.looked_at === null && row.dns_state !== 'local') return now;
  const pause = pauseBeforeLook(row.dns_state, row.looks);
  return pause === undefined ? null : now + pause;
};

/** Looks at DNS, records what was found, and lets what follows from it follow. */
export async function lookAgain(deps: DomainsDeps, row: DomainRow): Promise<Judgement> {
  const { look, judgement } = await examine(deps, row);
  await deps.store.write(async (tx) => {
    const now = deps.clock.now();
    const current = await domainById(tx, row.id);
    if (current === undefined) return;
    const changed = current.dns_state !== judgement.state;
    const looks = changed ? 0 : current.looks + 1;
    const proves = judgement.proof !== undefined && current.proved_at === null && current.lapsed_at === null;
    await updateDomain(
      tx,
      row.id,
      {
        dns_state: judgement.state,
        dns_report: JSON.stringify({ ...judgement, ...look }),
        looked_at: now,
        looks,
        next_look_at: nextLook({ dns_state: judgement.state, looks, looked_at: now }, now),
        ...(proves && { proof: judgement.proof, proved_at: now, lapses_at: null }),
      },
      now,
    );
    if (changed || proves) await recordChange(tx, 'domain', row.id, now);
  });
  return judgement;
}

async function examine(deps: DomainsDeps, row: DomainRow): Promise<{ look: NameLook; judgement: Judgement }> {
  if (isLocal(row.name))
    return {
      look: { answers: [], caa: { records: [] } },
      judgement: { state: 'local', summary: 'names under localhost are loopback and need no DNS', proof: 'local' },
    };
  const signal = AbortSignal.timeout(10_000);
  try {
    const look = await deps.dns.look(row.name, signal, {
      ...(row.issuers !== null && { issuers: JSON.parse(row.issuers) as string[] }),
      ...(row.challenge !== null && { challenge: row.challenge }),
    });
    const judgement = judge({ name: row.name, appId: row.app_id }, look, deps.settings);
    if (row.proved_at !== null || judgement.proof === 'cname') return { look, judgement };
    const app = await appById(deps.store.db, row.app_id);
    const proof = app && (await txtProof(deps.dns, row.name, app, signal));
    return { look, judgement: proof === undefined ? judgement : { ...judgement, proof } };
  } catch (error) {
    return {
      look: { answers: [], caa: { records: [] } },
      judgement: { state: 'unanswered', summary: `DNS could not be asked: ${errorText(error)}` },
    };
  }
}

async function lapse(deps: DomainsDeps, row: DomainRow): Promise<void> {
  await deps.certificates.release(`domain:${row.id}`);
  await deps.store.write(async (tx) => {
    const current = await domainById(tx, row.id);
    if (current === undefined || current.proved_at !== null) return;
    const now = deps.clock.now();
    await updateDomain(tx, row.id, { lapsed_at: now, lapses_at: null, certificate_id: null, next_look_at: null }, now);
    await recordChange(tx, 'domain', row.id, now);
    await appendAudit(tx, {
      actor: 'system',
      action: 'domain.lapse',
      resource: `domain:${row.name}`,
      facts: { app: row.app_id, claimed_at: row.created_at },
      at: now,
    });
  });
}

/** An issued certificate proves the name of every claim that it covers. */
export async function noteCertificate(deps: DomainsDeps, certificateId: string): Promise<void> {
  const unproved = (await domainsByCertificate(deps.store.db, certificateId)).filter(
    (row) => row.proved_at === null && row.lapsed_at === null,
  );
  if (unproved.length === 0 || !(await deps.certificates.isServed(certificateId))) return;
  await deps.store.write(async (tx) => {
    const now = deps.clock.now();
    for (const { id } of unproved) {
      await updateDomain(tx, id, { proof: 'certificate', proved_at: now, lapses_at: null }, now);
      await recordChange(tx, 'domain', id, now);
    }
  });
}

/** What a cluster says of a domain's certificate: kept with the domain, and told to whoever follows it. */
export async function noteDelegated(
  deps: Pick<DomainsDeps, 'store' | 'clock'>,
  id: string,
  status: DelegatedCertificate | undefined,
): Promise<void> {
  const delegated = status === undefined ? null : JSON.stringify(status);
  await deps.store.write(async (tx) => {
    const row = await domainById(tx, id);
    // Another replica may have noted it already.
    if (row === undefined || row.delegated === delegated) return;
    const now = deps.clock.now();
    const proves = status?.status === 'issued' && row.proved_at === null && row.lapsed_at === null;
    const proof = proves ? { proof: 'certificate' as const, proved_at: now, lapses_at: null } : {};
    await updateDomain(tx, id, { delegated, ...proof }, now);
    await recordChange(tx, 'domain', id, now);
  });
}

/** Ids of the domains for which something is due. */
export async function dueDomains(deps: DomainsDeps, limit: number): Promise<string[]> {
  const now = deps.clock.now();
  const [looks, lapses] = await Promise.all([
    domainsToLookAt(deps.store.db, now, limit),
    claimsToLapse(deps.store.db, now, limit),
  ]);
  return [...new Set([...looks, ...lapses].map(({ id }) => id))];
}

import type { ChallengeType } from '../acme/index.ts';
import { type Clock, Fault, type Logger, newId } from '../base/index.ts';
import { type AppRow, appById } from '../store/apps.ts';
import {
  type DomainKind,
  type DomainProof,
  type DomainRow,
  deleteDomain,
  domainById,
  domainByName,
  insertDomain,
  updateDomain,
} from '../store/domains.ts';
import { type AuditEvent, appendAudit, type Db, recordChange, type Store } from '../store/index.ts';
import { isWildcard, parseDnsName } from '../x509/index.ts';
import { CLAIM_LASTS_MS, type ClaimPlan, planClaim } from './claim.ts';
import { type ExpectedRecord, expectedRecords } from './expectation.ts';
import { judge } from './judge.ts';
import { autoDomain, isLocal, proofName, proofValue } from './names.ts';
import type { CertificateWishes, CredentialChoice, DnsViews, DomainSettings } from './ports.ts';

export interface DomainsDeps {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Logger;
  readonly settings: DomainSettings;
  readonly certificates: CertificateWishes;
  readonly dns: DnsViews;
  readonly credentials: CredentialChoice;
  /** Called after a commit that gave the reconciler something to do. */
  readonly wake: (domainId: string) => void;
}

export interface ClaimInput {
  readonly domain: string;
  readonly dnsCredentialId?: string;
  readonly issuers?: readonly string[];
  readonly challenge?: ChallengeType;
  readonly redirectTo?: string;
  /** False: prove and certify, and let traffic come later. */
  readonly route?: boolean;
  /** True: its certificate waits for the first handshake that asks for the name. */
  readonly onDemand?: boolean;
}

export interface Claimed {
  readonly row: DomainRow;
  readonly plan: ClaimPlan['kind'];
}

const LOOK_TIMEOUT_MS = 10_000;

/** Claims `input.domain` for `app`. Every check comes before the one write, which checks again that nothing moved. */
export async function claimDomain(
  deps: DomainsDeps,
  app: AppRow,
  input: ClaimInput,
  audit: (row: DomainRow, plan: ClaimPlan['kind']) => AuditEvent,
): Promise<Claimed> {
  const name = parseDnsName(input.domain, { wildcard: true, field: 'domain' });
  refuseOwnNames(name, deps.settings);
  const redirectTo =
    input.redirectTo === undefined ? undefined : await parseRedirect(deps.store.db, app, name, input.redirectTo);
  const credential = await chooseCredential(deps, name, input);
  const isOnDemand = onDemandOf(name, input, deps.settings);
  const held = await domainByName(deps.store.db, name);
  const evidence = await gatherEvidence(deps, held, app, name);
  const claimed = await deps.store.write(async (tx): Promise<Claimed> => {
    const now = deps.clock.now();
    const current = await domainByName(tx, name);
    if (current?.app_id !== held?.app_id) throw changedMeanwhile(name);
    if ((await appById(tx, app.id)) === undefined) throw appGone(app);
    const plan = planClaim(current, app.id, now, evidence);
    if (plan.kind === 'refused') throw nameTaken(name, app);
    const options = optionsOf(
      input,
      { redirectTo, credential },
      plan.kind === 'held' ? current : undefined,
      isOnDemand,
    );
    if (plan.kind === 'held' && sameOptions(current!, options)) return { row: current!, plan: plan.kind };
    if (plan.kind === 'take-over') await deleteDomain(tx, current!.id);
    const proof = plan.kind === 'take-over' ? (plan.proof ?? null) : isLocal(name) ? 'local' : null;
    const row =
      plan.kind === 'held'
        ? { ...current!, ...options }
        : freshRow({
            id: plan.kind === 'renew' ? current!.id : newId('dom', now),
            appId: app.id,
            name,
            kind: 'custom',
            proof,
            now,
            options,
          });
    if (plan.kind === 'new' || plan.kind === 'take-over') await insertDomain(tx, row);
    else await updateDomain(tx, row.id, { ...row, next_look_at: now }, now);
    if (plan.kind === 'take-over') await recordChange(tx, 'domain', current!.id, now);
    await recordChange(tx, 'domain', row.id, now);
    await appendAudit(tx, audit(row, plan.kind));
    return { row, plan: plan.kind };
  });
  if (claimed.plan === 'take-over') await deps.certificates.release(`domain:${held!.id}`);
  return claimed;
}

type Options = Pick<DomainRow, 'redirect_to' | 'routed' | 'issuers' | 'on_demand' | 'challenge' | 'dns_credential_id'>;

/** What is not said stays as `kept` has it. */
function optionsOf(
  { route, issuers, challenge }: ClaimInput,
  found: { redirectTo: string | undefined; credential: string | undefined },
  kept: DomainRow | undefined,
  isOnDemand: { said: boolean | undefined; otherwise: boolean },
): Options {
  return {
    redirect_to: found.redirectTo ?? kept?.redirect_to ?? null,
    routed: route === undefined ? (kept?.routed ?? 1) : Number(route),
    issuers: issuers === undefined ? (kept?.issuers ?? null) : JSON.stringify(issuers),
    on_demand: Number(isOnDemand.said ?? kept?.on_demand ?? isOnDemand.otherwise),
    challenge: challenge ?? kept?.challenge ?? null,
    dns_credential_id: found.credential ?? kept?.dns_credential_id ?? null,
  };
}

function onDemandOf(name: string, { onDemand }: ClaimInput, settings: DomainSettings) {
  const refuse = (why: string, advice: string) =>
    new Fault({
      code: 'on_demand_impossible',
      detail: why,
      party: 'client',
      retry: 'never',
      field: 'on_demand',
      status: 422,
      advice,
    });
  if (onDemand === true && isWildcard(name))
    throw refuse(`${name} is a wildcard, for which no handshake asks`, 'leave on_demand out');
  if (onDemand === true && settings.onDemand === undefined)
    throw refuse('no edge here asks for certificates on demand', 'leave on_demand out');
  return { said: onDemand, otherwise: settings.onDemand?.always === true && !isWildcard(name) };
}

const sameOptions = (row: DomainRow, options: Options): boolean =>
  (Object.keys(options) as (keyof Options)[]).every((key) => row[key] === options[key]);

export function freshRow(given: {
  id: string;
  appId: string;
  name: string;
  kind: DomainKind;
  proof: DomainProof | null;
  now: number;
  options?: Options;
}): DomainRow {
  const { now, proof } = given;
  return {
    redirect_to: null,
    routed: 1,
    issuers: null,
    on_demand: 0,
    demanded_at: null,
    demand_problem: null,
    challenge: null,
    dns_credential_id: null,
    ...given.options,
    id: given.id,
    app_id: given.appId,
    name: given.name,
    kind: given.kind,
    certificate_id: null,
    delegated: null,
    proof,
    proved_at: proof === null ? null : now,
    lapses_at: proof === null ? now + CLAIM_LASTS_MS : null,
    lapsed_at: null,
    dns_state: isLocal(given.name) ? 'local' : 'unknown',
    dns_report: null,
    looked_at: null,
    looks: 0,
    next_look_at: now,
    announced: null,
    created_at: now,
    updated_at: now,
  };
}

/** Whether the zone names the app in its TXT record. */
export async function txtProof(
  dns: DnsViews,
  name: string,
  app: Pick<AppRow, 'proof_token'>,
  signal: AbortSignal,
): Promise<'txt' | undefined> {
  const values = await dns.txt(proofName(name), signal);
  return values.includes(proofValue(app.proof_token)) ? 'txt' : undefined;
}

/** What the zone says now about an app: its TXT record, or an alias of the app's own target. */
async function zoneProof(deps: Pick<DomainsDeps, 'dns' | 'settings'>, name: string, app: AppRow) {
  if (isLocal(name)) return undefined;
  const signal = AbortSignal.timeout(LOOK_TIMEOUT_MS);
  const written = await txtProof(deps.dns, name, app, signal);
  if (written !== undefined || isWildcard(name)) return written;
  return judge({ name, appId: app.id }, await deps.dns.look(name, signal), deps.settings).proof;
}

async function gatherEvidence(deps: DomainsDeps, held: DomainRow | undefined, app: AppRow, name: string) {
  if (held === undefined || held.app_id === app.id) return {};
  const holder = await appById(deps.store.db, held.app_id);
  const [proof, holderProof] = await Promise.all([
    zoneProof(deps, name, app),
    holder === undefined ? undefined : zoneProof(deps, name, holder),
  ]);
  return { ...(proof && { proof }), ...(holderProof && { holderProof }) };
}

function refuseOwnNames(name: string, { baseDomain }: DomainSettings): void {
  if (baseDomain === undefined) return;
  if (name === baseDomain || name.endsWith(`.${baseDomain}`))
    throw new Fault({
      code: 'reserved_name',
      detail: `${name} is under ${baseDomain}, which is the platform's own: apps get their names there by themselves`,
      party: 'client',
      retry: 'never',
      field: 'domain',
      status: 422,
    });
}

async function parseRedirect(db: Db, app: AppRow, from: string, text: string): Promise<string> {
  const refuse = (why: string, advice?: string) =>
    new Fault({
      code: 'invalid_redirect',
      detail: why,
      party: 'client',
      retry: 'never',
      field: 'redirect_to',
      status: 422,
      ...(advice && { advice }),
    });
  const to = parseDnsName(text, { field: 'redirect_to' });
  if (to === from) throw refuse(`${from} cannot be sent on to itself`);
  const target = await domainByName(db, to);
  if (target === undefined || target.app_id !== app.id || target.lapsed_at !== null)
    throw refuse(`${to} is not a domain of ${app.id}`, `add ${to} to the app first`);
  if (target.redirect_to !== null) throw refuse(`${to} is itself sent on, to ${target.redirect_to}`);
  return to;
}

async function chooseCredential(deps: DomainsDeps, name: string, input: ClaimInput): Promise<string | undefined> {
  if (input.dnsCredentialId !== undefined) {
    if (await deps.credentials.exists(input.dnsCredentialId)) return input.dnsCredentialId;
    throw new Fault({
      code: 'unknown_dns_credential',
      detail: `there is no DNS credential ${input.dnsCredentialId}`,
      party: 'client',
      retry: 'never',
      field: 'dns_credential_id',
      status: 422,
      advice: 'gatehouse dns-credentials list',
    });
  }
  if (!isWildcard(name) && input.challenge?.startsWith('dns-') !== true) return undefined;
  const found = await deps.credentials.credentialFor(name);
  if (found !== undefined) return found;
  throw new Fault({
    code: 'dns_credential_needed',
    detail: `${isWildcard(name) ? 'a wildcard' : input.challenge} is proved in DNS only, and no DNS credential may write into the zone of ${name}`,
    party: 'client',
    retry: 'never',
    field: 'dns_credential_id',
    status: 422,
    advice: 'make one with: gatehouse dns-credentials create',
  });
}

function nameTaken(name: string, app: AppRow): Fault {
  return new Fault({
    code: 'domain_taken',
    detail: `${name} belongs to another app`,
    party: 'client',
    retry: 'never',
    field: 'domain',
    status: 409,
    advice: `if the zone is yours, put ${proofName(name)} TXT "${proofValue(app.proof_token)}" into it and ask again`,
  });
}

const changedMeanwhile = (name: string) =>
  new Fault({
    code: 'conflict',
    detail: `${name} was claimed at the same moment`,
    party: 'client',
    retry: 'backoff',
    field: 'domain',
    status: 409,
  });

const appGone = (app: AppRow) =>
  new Fault({
    code: 'app_not_found',
    detail: `the app ${app.id} was deleted at the same moment`,
    party: 'client',
    retry: 'never',
    status: 404,
  });

/** Withdraws route and certificate. The certificate goes first: a crash between leaves a domain that can be removed again. */
export async function removeDomain(deps: DomainsDeps, row: DomainRow, audit: AuditEvent): Promise<void> {
  await deps.certificates.release(`domain:${row.id}`);
  await deps.store.write(async (tx) => {
    if ((await domainById(tx, row.id)) === undefined) return;
    await deleteDomain(tx, row.id);
    await tx
      .updateTable('domain')
      .set({ redirect_to: null })
      .where('app_id', '=', row.app_id)
      .where('redirect_to', '=', row.name)
      .execute();
    await recordChange(tx, 'domain', row.id, deps.clock.now());
    await appendAudit(tx, audit);
  });
}

export const expectationOf = (row: DomainRow, proofToken: string, settings: DomainSettings): ExpectedRecord[] =>
  expectedRecords({ name: row.name, appId: row.app_id, proofToken, kind: row.kind }, settings);

/** Gives an app its automatic name, when there is a base domain and it has none. */
export async function addAutoDomain(
  deps: DomainsDeps,
  tx: Db,
  appId: string,
  now: number,
): Promise<string | undefined> {
  if (deps.settings.baseDomain === undefined) return undefined;
  const name = autoDomain(appId, deps.settings.baseDomain);
  if ((await domainByName(tx, name)) !== undefined) return undefined;
  // The platform's own zone needs no proof from its own apps.
  const row = freshRow({ id: newId('dom', now), appId, name, kind: 'auto', proof: 'local', now });
  await insertDomain(tx, row);
  await recordChange(tx, 'domain', row.id, now);
  return row.id;
}

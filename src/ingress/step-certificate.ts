import { Fault } from '../base/index.ts';
import type { StepContext, StepResult } from '../missions/index.ts';
import { updateExposure } from '../store/exposures.ts';
import { recordChange } from '../store/index.ts';
import type { IngressDeps } from './deps.ts';
import type { CertificateWish, KnownCertificate } from './ports.ts';
import { madeId, type ResolvedExposure, resolvedExposure } from './resolved.ts';

// Longer than DNS providers take to publish a record everywhere; shorter than a person waits without wondering.
const MOST_WAIT_MS = 10 * 60_000;
const LOOK_EVERY_MS = 1_000;
const MOST_FAILURES = 3;

/** Gets the certificate, or takes one that is good. Hard: a stuck certificate fails the whole, in its engine's words. */
export async function getCertificate(deps: IngressDeps, context: StepContext): Promise<StepResult> {
  const { store, clock, certificates } = deps;
  const wanted = resolvedExposure(context.plan);
  const issuer = wanted.issuer!;
  const begun = clock.now();
  const exposureId = madeId(context, 'virtual_ip', 'exposure_id');
  const reference = `exposure:${exposureId}`;
  const id = (await takeReused(deps, wanted, reference)) ?? (await certificates.ensure(wishOf(wanted, reference)));
  await store.write(async (tx) => {
    const now = clock.now();
    await updateExposure(tx, exposureId, { certificate_id: id, issuer }, now);
    await recordChange(tx, 'route', exposureId, now);
  });
  const served = await waitFor(deps, id, issuer, begun, context);
  // What an earlier run got, from another issuer, is needed by this exposure no more.
  await certificates.release(reference, id);
  return {
    outputs: { certificate_id: id, not_after: served.notAfter ?? null, fingerprint: served.fingerprint ?? null },
  };
}

const wishOf = (wanted: ResolvedExposure, reference: string): CertificateWish => ({
  names: [wanted.hostname],
  issuers: [wanted.issuer!],
  ...howToShow(wanted),
  reference,
});

const howToShow = ({ challenge, dns_credential_id }: ResolvedExposure) => ({
  ...(challenge !== null && { challenge }),
  ...(dns_credential_id !== null && { dnsCredentialId: dns_credential_id }),
});

/** The one that the plan found, if it is as good as it was then. */
async function takeReused(
  { certificates, clock }: IngressDeps,
  wanted: ResolvedExposure,
  reference: string,
): Promise<string | undefined> {
  const { certificate_id: id, hostname, issuer } = wanted;
  const found = id === null ? undefined : await certificates.get(id);
  if (found === undefined || !isGood(found, issuer!, clock.now())) return undefined;
  // How the names of somebody else's certificate are shown is theirs to say.
  const how = found.names.join() === hostname ? howToShow(wanted) : {};
  return (await certificates.refer(found.id, { reference, ...how })) ? found.id : undefined;
}

const isGood = (certificate: KnownCertificate, issuer: string, now: number): boolean =>
  certificate.servedIssuer === issuer && (certificate.notAfter ?? 0) > now;

async function waitFor(
  deps: IngressDeps,
  id: string,
  issuer: string,
  begun: number,
  context: StepContext,
): Promise<KnownCertificate> {
  const { clock, certificates } = deps;
  const deadline = begun + MOST_WAIT_MS;
  const before = await certificates.get(id);
  const good = (certificate: KnownCertificate | undefined) =>
    certificate !== undefined && isGood(certificate, issuer, clock.now());
  if (before !== undefined && good(before)) return before;
  // One that failed before waits for its next attempt; an approved mission is a reason to try now.
  if (before?.problem !== undefined) await certificates.tryNow(id);
  await context.note('waiting for the certificate');
  let last = before?.problem?.at ?? begun - 1;
  let line = 0;
  for (let failures = 0; ; ) {
    for (const said of await certificates.news(id, line)) {
      line = said.line;
      if (said.at >= begun) await context.note(said.words);
    }
    const now = await certificates.get(id);
    if (now !== undefined && good(now)) return now;
    const news = now?.problem !== undefined && now.problem.at > last && now.problem.at >= begun;
    if (now !== undefined && news) {
      last = now.problem?.at ?? last;
      failures++;
      await context.note(failureWords(now));
      if (failures >= MOST_FAILURES || (now.nextAttemptAt ?? 0) > deadline) throw stuck(now);
    }
    if (clock.now() >= deadline) throw stuck(now ?? { id, names: [], status: 'pending', attempts: 0 });
    await clock.sleep(LOOK_EVERY_MS, context.signal);
  }
}

/** So that a person who watches need not wait for the last attempt. */
function failureWords({ problem, nextAttemptAt: next }: KnownCertificate): string {
  const again = next === undefined ? '' : `; the next attempt is at ${new Date(next).toISOString()}`;
  return `an attempt failed: ${problem?.detail}${problem?.advice === undefined ? '' : ` — ${problem.advice}`}${again}`;
}

function stuck({ id, problem, nextAttemptAt: next }: KnownCertificate): Fault {
  return new Fault({
    code: problem?.code ?? 'certificate_slow',
    detail: problem?.detail ?? 'the certificate was not there after ten minutes',
    party: problem?.party ?? 'ca',
    retry: next === undefined ? 'never' : { notBefore: next },
    advice:
      rateLimitAdvice(problem?.code, next) ??
      problem?.advice ??
      `gatehouse certificates show ${id} shows what it waits for; propose the same again when it is there`,
  });
}

function rateLimitAdvice(code: string | undefined, next: number | undefined): string | undefined {
  if (code === undefined || !/rate_?limit/i.test(code)) return undefined;
  const when = next === undefined ? 'until its window has passed' : `until ${new Date(next).toISOString()}`;
  return `wait ${when}, or propose the same with another issuer: letsencrypt-staging, for trying`;
}

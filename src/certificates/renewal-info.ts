import { faultOf, inUtc } from '../base/index.ts';
import { appendEvent } from '../store/certificate-events.ts';
import type { CertificateVersionRow } from '../store/certificate-versions.ts';
import type { CertificateRow } from '../store/certificates.ts';
import type { IssuerRow } from '../store/issuers.ts';
import { renewalInfoOf } from './facts.ts';
import type { Lease } from './lease.ts';
import type { Reconciling } from './reconcile.ts';
import { type KnownRenewalInfo, renewByInfo } from './renewal-time.ts';

const HOUR = 3_600_000;

/**
 * Asks the CA that issued the served version when it should be renewed (RFC 9773). A CA that cannot be asked, or that
 * offers nothing, changes nothing: the time that follows from the lifetime stands.
 */
export async function askRenewalInfo(
  { engine, connections }: Reconciling,
  issuers: ReadonlyMap<string, IssuerRow>,
  lease: Lease,
  row: CertificateRow,
  served: CertificateVersionRow,
): Promise<void> {
  const { clock, store, random, log } = engine;
  const issuer = issuers.get(served.issuer_id ?? '');
  const known = renewalInfoOf(row);
  const current = known?.versionId === served.id ? known : undefined;
  const stay = async (askAgainAt: number) => {
    const kept: KnownRenewalInfo = current ?? {
      versionId: served.id,
      start: 0,
      end: 0,
      askAgainAt,
      renewAt: row.renew_at ?? 0,
    };
    await store.write((tx) => lease.update(tx, { renewal_info: JSON.stringify({ ...kept, askAgainAt }) }));
  };
  if (issuer === undefined) return stay(clock.now() + 24 * HOUR);
  try {
    const info = await connections.client(issuer).renewalInfo(served.ari_id!, lease.signal);
    if (info === undefined) return await stay(clock.now() + 24 * HOUR);
    const renewAt = renewByInfo(info, { notBefore: served.not_before, notAfter: served.not_after }, random(), current);
    const moved = current === undefined || current.start !== info.start || current.end !== info.end;
    const early = current !== undefined && (moved ? info.start < current.start : current.movedEarlier === true);
    const told: KnownRenewalInfo = {
      versionId: served.id,
      start: info.start,
      end: info.end,
      askAgainAt: info.askAgainAt,
      renewAt,
      ...(early && { movedEarlier: true }),
      ...(info.explanationUrl !== undefined && { explanationUrl: info.explanationUrl }),
    };
    await store.write(async (tx) => {
      await lease.update(tx, {
        renewal_info: JSON.stringify(told),
        renew_at: renewAt,
        renew_reason: `${issuer.id} asks for it between ${inUtc(info.start)} and ${inUtc(info.end)}`,
      });
      if (!moved) return;
      const why = info.explanationUrl === undefined ? '' : ` (${info.explanationUrl})`;
      const words = `${issuer.id} suggests renewing between ${inUtc(info.start)} and ${inUtc(info.end)}${why}; chosen: ${inUtc(renewAt)}`;
      await appendEvent(tx, { certificateId: row.id, at: clock.now(), kind: 'renewal', words });
    });
    if (early && moved)
      log.warn(
        { certificate: row.id, issuer: issuer.id, explanation: info.explanationUrl },
        'the CA moved the renewal earlier',
      );
  } catch (error) {
    if (lease.signal.aborted) throw lease.signal.reason;
    // RFC 9773 §4.3.2: on errors, ask again later, and renew by the lifetime meanwhile.
    log.debug({ certificate: row.id, issuer: issuer.id }, `renewal information: ${faultOf(error).message}`);
    const { retry } = faultOf(error).details;
    await stay(Math.max(typeof retry === 'object' ? retry.notBefore : 0, clock.now() + HOUR * (1 + random())));
  }
}

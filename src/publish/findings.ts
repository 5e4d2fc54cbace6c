import { X509Certificate } from 'node:crypto';
import { inUtc, sha256Hex } from '../base/index.ts';
import type { DeliveryRow } from '../store/deliveries.ts';
import { parsePem } from '../x509/index.ts';
import type { ServedVersion } from './served-certificates.ts';
import type { Shown } from './shown.ts';

/** How what clients are shown can differ from what was issued. */
export type FindingKind = 'nothing_shown' | 'default_certificate' | 'differs' | 'expired' | 'chain' | 'not_looked_at';

export interface Finding {
  readonly kind: FindingKind;
  readonly detail: string;
  /** Since when it has been so, as far as it was looked at. */
  readonly since: number;
  readonly advice: string;
}

/** What a finding compares with. */
export type Issued = Pick<ServedVersion, 'id' | 'version' | 'fingerprint' | 'chain' | 'notAfter'>;

/** Each name is looked at every hour; with very many of them a little less often. */
const NOT_LOOKED_AT_MS = 24 * 3_600_000;

/**
 * Pure: what is wrong with what was last seen of a name at a publisher. Nothing while the issued version is still on its
 * way there, or was not looked at since: what is not delivered is the publisher's own problem.
 */
export function deriveFindings(
  issued: Issued,
  delivered: Pick<DeliveryRow, 'delivered' | 'delivered_at'> | undefined,
  look: Pick<DeliveryRow, 'delivered_at' | 'seen' | 'seen_at' | 'seen_problem' | 'seen_facts' | 'seen_since'>,
  now: number,
): Finding[] {
  const deliveredAt = Math.max(delivered?.delivered_at ?? 0, look.delivered_at ?? 0);
  if (delivered?.delivered !== issued.version || look.seen_at === null || look.seen_at < deliveredAt) return [];
  const since = Math.max(look.seen_since ?? look.seen_at, deliveredAt);
  const found: Finding[] = [];
  const find = (kind: FindingKind, detail: string, from = since) =>
    found.push({ kind, detail, since: from, advice: ADVICE[kind](issued.id) });
  const shown = look.seen_facts === null ? undefined : (JSON.parse(look.seen_facts) as Shown);
  if (look.seen === null || shown === undefined)
    find('nothing_shown', `no certificate is shown: ${look.seen_problem ?? 'the handshake failed'}`);
  else if (shown.fingerprint !== issued.fingerprint)
    find(
      shown.selfSigned ? 'default_certificate' : 'differs',
      `${shown.selfSigned ? 'a self-signed certificate' : 'another certificate'} is shown: issued by ${shown.issuerName}, serial ${shown.serial}, good until ${inUtc(shown.notAfter)}`,
    );
  else if (!upperPart(issued.chain).every((certificate) => shown.above.includes(certificate)))
    find('chain', 'the right certificate is shown without the whole chain that was issued with it');
  if (shown !== undefined && shown.notAfter < now)
    find('expired', `what is shown expired on ${inUtc(shown.notAfter)}`, Math.max(shown.notAfter, deliveredAt));
  if (look.seen_at < now - NOT_LOOKED_AT_MS)
    find('not_looked_at', `nobody has looked since ${inUtc(look.seen_at)}`, look.seen_at + NOT_LOOKED_AT_MS);
  return found;
}

const ADVICE: Record<FindingKind, (certificateId: string) => string> = {
  nothing_shown: () => 'see that the place listens at the address where it is looked at, and that it takes this name',
  default_certificate: () =>
    'the place has no certificate for this name: see in its log whether it reads what is delivered',
  differs: () => 'see that the place has loaded what was delivered, and that nothing else answers at its address',
  expired: (id) => `get a new one now: gatehouse certificates renew ${id}`,
  chain: () => 'let the place send the whole chain file, not the first certificate of it alone',
  not_looked_at: () => 'see in the log of the server why it does not look; a restart begins anew',
};

/** Digests of what is above the leaf. A root need not be sent (RFC 8446 §4.4.2). */
const upperPart = (chain: string): string[] =>
  parsePem('CERTIFICATE', chain)
    .slice(1)
    .filter((der) => {
      const certificate = new X509Certificate(der);
      return !certificate.checkIssued(certificate);
    })
    .map((der) => sha256Hex(der));

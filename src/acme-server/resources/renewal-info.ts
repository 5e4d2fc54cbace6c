import type { RenewalInfoObject } from '../../acme/index.ts';
import { findCertificate } from '../../store/ca.ts';
import { parseCertificate } from '../../x509/index.ts';
import type { Resource } from '../call.ts';
import { Refusal } from '../refusal.ts';
import { planRenewalWindow } from '../renewal-window.ts';
import { parseCertificateId } from '../replacement.ts';

const SIX_HOURS = 6 * 3600;

/** RFC 9773 §4: unauthenticated, as public as the certificate itself. */
export const renewalInfo: Resource = {
  auth: 'none',
  methods: ['GET', 'HEAD'],
  async answer({ services, parameters, now }) {
    const { keyId, serial } = parseCertificateId(parameters[0]);
    const row = await findCertificate(services.store.db, serial);
    if (row === undefined || !parseCertificate(row.certificate).authorityKeyIdentifier?.equals(keyId))
      throw new Refusal('malformed', 'there is no such certificate of this CA', { status: 404 });
    const { start, end } = planRenewalWindow(row, now);
    const body: RenewalInfoObject = { suggestedWindow: { start: rfc3339(start), end: rfc3339(end) } };
    // Short-lived ones are asked about more often (RFC 9773 §4.3).
    const lifetime = (row.not_after - row.not_before) / 1000;
    return {
      status: 200,
      headers: { 'Retry-After': String(Math.round(Math.min(SIX_HOURS, Math.max(60, lifetime / 100)))) },
      body,
    };
  },
};

const rfc3339 = (ms: number): string => new Date(Math.floor(ms / 1000) * 1000).toISOString().replace('.000Z', 'Z');

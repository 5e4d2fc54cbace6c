import type { Domain } from '../contract/index.ts';

type Known = Omit<Domain, 'troubleshooting'>;
type Trouble = Domain['troubleshooting'][number];

const PENDING_IS_LONG_MS = 5 * 60_000;
const JUST_ISSUED_MS = 5 * 60_000;

const CAUSES: Readonly<Record<string, { likely_cause: string; recovery: string }>> = {
  rate_limited: {
    likely_cause: "the certificate authority's rate limit is used up for now",
    recovery: 'wait: the next attempt is planned for after the limit; or use another issuer',
  },
  rejectedIdentifier: {
    likely_cause: 'the certificate authority does not issue for this name',
    recovery: 'check the spelling of the name, or use another issuer',
  },
  caa: {
    likely_cause: 'a CAA record of the zone does not allow this certificate authority',
    recovery: 'add the authority to the CAA record, or remove the record; then verify',
  },
  dns: {
    likely_cause: 'the certificate authority could not resolve the name, or DNSSEC is broken',
    recovery: 'compare dns.answers with dns.expected and mend the zone; then verify',
  },
  connection: {
    likely_cause: 'the challenge could not reach this edge: a firewall, or DNS that points elsewhere',
    recovery: 'open ports 80 and 443 to this edge from everywhere, and check dns.answers; then verify',
  },
  unauthorized: {
    likely_cause: 'something else than this edge answered the challenge, such as a CDN or an old server',
    recovery: 'point the name here, or let the CDN pass /.well-known/acme-challenge/; then verify',
  },
  tls: {
    likely_cause: 'another TLS server answers on port 443 of the name, so tls-alpn-01 fails',
    recovery: 'point the name here, or let http-01 be used; then verify',
  },
};

/** Seed a's table of failures, for what a domain shows now: symptom, likely cause and what to do. Pure. */
export function troubleshooting(domain: Known, now: number): Trouble[] {
  const found: Trouble[] = [];
  const age = now - Date.parse(domain.created_at);
  if (
    domain.tls_status === 'pending' &&
    !domain.dns_configured &&
    (age > PENDING_IS_LONG_MS || domain.dns.looked_at !== null)
  )
    found.push({
      symptom: age > PENDING_IS_LONG_MS ? 'tls_status is pending for more than 5 minutes' : 'tls_status is pending',
      likely_cause: `DNS is not set or has not spread: ${domain.dns.summary}`,
      recovery: `set: ${domain.dns.expected[0]?.line ?? 'an address of this edge'}; check it with dig, then call verify`,
    });
  if (domain.dns.cdn !== null && domain.tls_status !== 'issued')
    found.push({
      symptom: `${domain.dns.cdn} answers for the name`,
      likely_cause: 'a content delivery network stands in front and may keep the challenge from this edge',
      recovery:
        'let it pass /.well-known/acme-challenge/ unchanged, switch its proxy off until the certificate is there, or use dns-01',
    });
  if (domain.dns.caa.allows === false)
    found.push({ symptom: `CAA: ${domain.dns.caa.detail ?? domain.dns.caa.records.join(', ')}`, ...CAUSES.caa! });
  if (domain.dns.split_horizon !== null && domain.tls_status !== 'issued')
    found.push({
      symptom: 'the DNS views differ',
      likely_cause: `a split horizon, or DNS that is still spreading: ${domain.dns.split_horizon}`,
      recovery:
        'certificate authorities see what the authoritative servers answer; if these are right, wait, or name public resolvers (GATEHOUSE_ACME_DNS_RESOLVERS)',
    });
  if (domain.dns.dnssec === 'broken')
    found.push({
      symptom: 'validating resolvers refuse the name',
      likely_cause: 'DNSSEC of the zone is broken, and certificate authorities refuse it too',
      recovery: 'renew the zone signatures, or mend or remove the DS record at the parent; then verify',
    });
  const problem = domain.why.problem;
  const cluster = domain.cluster_certificate;
  if (problem !== null && (domain.tls_status === 'failed' || domain.why.attempts > 0))
    found.push({
      symptom: domain.tls_status === 'failed' ? 'tls_status is failed' : 'the last attempt failed',
      ...(causeOf(problem.type, problem.detail) ?? {
        likely_cause: problem.detail,
        recovery: domain.why.advice ?? 'mend the cause and call verify; the next attempt comes by itself',
      }),
      ...(cluster !== null && {
        recovery: `kubectl describe certificate -n ${cluster.namespace} ${cluster.name}, mend the cause, then call verify: it deletes the Certificate, and cert-manager begins anew`,
      }),
    });
  const issued = domain.certificate?.served?.issued_at;
  if (domain.tls_status === 'issued' && issued !== undefined && now - Date.parse(issued) < JUST_ISSUED_MS)
    found.push({
      symptom: 'tls_status is issued, but a browser still shows the old certificate',
      likely_cause:
        'the browser keeps its open connections, or HSTS, or a proxy in front keeps the old one for a while',
      recovery: 'wait 30 seconds, close the open connections (or use a private window), and look again',
    });
  return found;
}

function causeOf(type: string, detail: string) {
  const word = type.slice(type.lastIndexOf(':') + 1);
  if (word === 'rateLimited' || /rate.?limit|too many/i.test(`${type} ${detail}`)) return CAUSES.rate_limited;
  return CAUSES[word];
}

import type { Identifier } from '../../acme/index.ts';
import { Refusal } from '../refusal.ts';
import { createDnsClient } from './dns-client.ts';
import { mayReach } from './special-addresses.ts';
import type { ValidationPolicy } from './validator.ts';

const MOST_ADDRESSES = 16;

/**
 * The addresses to which a validator may connect for a host, resolved once: whoever connects uses these, and never the
 * name again, so that a name which changes between check and use (DNS rebinding) gains nothing. IPv6 first (RFC 6724).
 */
export async function reachableAddresses(
  identifier: Identifier,
  policy: ValidationPolicy,
  signal: AbortSignal,
): Promise<string[]> {
  const found = identifier.type === 'ip' ? [identifier.value] : await resolve(identifier.value, policy, signal);
  if (found.length === 0) throw new Refusal('dns', `${identifier.value} has no address (no A or AAAA record)`);
  const allowed = found.filter((address) => mayReach(address, policy.allowed_cidrs)).slice(0, MOST_ADDRESSES);
  if (allowed.length > 0) return allowed;
  throw new Refusal(
    'rejectedIdentifier',
    `${identifier.value} has no address that this profile may reach: private and special-purpose addresses need an entry in validation.allowed_cidrs`,
  );
}

async function resolve(name: string, policy: ValidationPolicy, signal: AbortSignal): Promise<string[]> {
  // RFC 6761 §6.3: names under localhost are loopback, and are not asked of any resolver.
  if (name === 'localhost' || name.endsWith('.localhost')) return ['127.0.0.1', '::1'];
  const client = createDnsClient(policy.resolvers);
  const [v6, v4] = await Promise.allSettled([client.query(name, 'AAAA', signal), client.query(name, 'A', signal)]);
  if (v6.status === 'rejected' && v4.status === 'rejected') throw v4.reason;
  return [v6, v4].flatMap((outcome) =>
    outcome.status === 'fulfilled'
      ? outcome.value.records.map((record) => String('data' in record ? record.data : ''))
      : [],
  );
}

import type { Clock } from '../../base/index.ts';
import type { Ask } from '../../dns/index.ts';
import type { DnsProviderName, ProviderFields } from './fields.ts';
import type { ProviderHttp } from './http.ts';

/** A zone as its provider knows it. */
export interface ProviderZone {
  /** Without trailing dot, in A-labels. */
  readonly name: string;
  /** The provider's own id; its name where there is none. */
  readonly ref: string;
}

export interface TxtRecord {
  /** Full name, without trailing dot. */
  readonly name: string;
  /** One character string, unquoted: base64url or, for dns-persist-01, printable ASCII up to 255 octets. */
  readonly value: string;
}

/**
 * One DNS provider under one credential. Both changes are idempotent, and touch one value only: others at the same name
 * may belong to somebody else (two clients validate one name at once). Throws `Fault`s of party `dns-provider`.
 */
export interface DnsProvider {
  /**
   * Zones that the credential sees, 10,000 at most; only that of `name` where the API can ask so. Absent where the
   * provider cannot list them.
   */
  zones?(signal: AbortSignal, name?: string): Promise<ProviderZone[]>;
  /** The zone that a name is in, where `zones` is absent; with neither it is the one that the credential is bound to. */
  zoneOf?(name: string, signal: AbortSignal): Promise<ProviderZone | undefined>;
  /** Answers the provider's id of the record, where it has one. */
  add(zone: ProviderZone, record: TxtRecord, signal: AbortSignal): Promise<string | undefined>;
  /** `ref` is what `add` answered; unknown when we were killed between the call and its answer. */
  remove(zone: ProviderZone, record: TxtRecord, ref: string | undefined, signal: AbortSignal): Promise<void>;
  /** Where the provider can hold one fixed name only (acme-dns), that name: `_acme-challenge` is delegated to it. */
  readonly onlyName?: string;
}

/** What a provider may use besides its fields. */
export interface ProviderContext {
  readonly http: ProviderHttp;
  readonly clock: Clock;
  /** Where programs of the `exec` provider must be. */
  readonly programs: string;
  readonly ask: Ask;
}

export type OpenProvider<P extends DnsProviderName> = (
  fields: ProviderFields<P>,
  context: ProviderContext,
) => DnsProvider;

/** Life of our records in caches, in seconds: short, since a value is of use once. */
export const TXT_TTL_SECONDS = 60;

/** The record's name within its zone; `@` at the zone's own name. */
export function relativeName(zone: ProviderZone, { name }: TxtRecord, apex = '@'): string {
  return name === zone.name ? apex : name.slice(0, -zone.name.length - 1);
}

/** RFC 1035 §5.1: one character string as zone files write it. */
export const quoted = (value: string): string => `"${value.replace(/["\\]/g, '\\$&')}"`;

/** Every name from `name` up to its last two labels, longest first. */
export function zoneCandidates(name: string): string[] {
  const labels = name.split('.');
  return labels.slice(0, -1).map((_, index) => labels.slice(index).join('.'));
}

/** The zone whose name is the longest suffix of `name`. */
export function longestZone<Z extends { readonly name: string }>(zones: readonly Z[], name: string): Z | undefined {
  let best: Z | undefined;
  for (const zone of zones)
    if ((name === zone.name || name.endsWith(`.${zone.name}`)) && zone.name.length > (best?.name.length ?? 0))
      best = zone;
  return best;
}

import { type Clock, Fault, newId, newSecret } from '../../base/index.ts';
import { deleteDnsRecord, insertDnsRecords } from '../../store/dns-records.ts';
import type { Store } from '../../store/index.ts';
import { covers } from './choose-credential.ts';
import { type DnsProvider, longestZone, type ProviderZone } from './provider.ts';

/** Names nobody else uses, so that writing and removing them harms nothing. */
const PROOF_LABEL = '_gatehouse-proof';
const MOST_WRITES = 5;
const REMOVED_AFTER_MS = 10 * 60_000;

export interface Proof {
  /** Undefined where the provider cannot list its zones. */
  readonly zones: readonly string[] | undefined;
  /** How it was proved, in words. */
  readonly detail: string;
}

/**
 * Proves that a credential lists its zones and may write and remove a record in each zone that it is bound to, or in
 * one zone where it is bound to none. Throws a `Fault` that says what failed.
 */
export async function proveCredential(
  credential: { readonly id: string; readonly zones: readonly string[] },
  provider: DnsProvider,
  context: { readonly store: Store; readonly clock: Clock },
  signal: AbortSignal,
): Promise<Proof> {
  const seen = await provider.zones?.(signal);
  if (seen?.length === 0) throw unfit('it sees no zone', 'give the token access to the zones that it is for');
  for (const zone of credential.zones)
    if (seen !== undefined && longestZone(seen, zone) === undefined && !seen.some(({ name }) => covers(zone, name)))
      throw unfit(`it does not see ${zone}, to which it is bound`, `give the token access to ${zone}, or unbind it`);
  const places = credential.zones.length > 0 ? credential.zones : (seen ?? []).slice(0, 1).map(({ name }) => name);
  const written: string[] = [];
  for (const place of places.slice(0, MOST_WRITES)) {
    const name = provider.onlyName ?? `${PROOF_LABEL}.${place}`;
    const zone = (seen && longestZone(seen, name)) ??
      (await provider.zoneOf?.(name, signal)) ?? { name: place, ref: place };
    await writeAndRemove(credential.id, provider, zone, name, context, signal);
    written.push(name);
  }
  const listed = seen === undefined ? '' : `listed ${seen.length} zone${seen.length === 1 ? '' : 's'}; `;
  return { zones: seen?.map(({ name }) => name), detail: `${listed}wrote and removed ${written.join(', ')}` };
}

async function writeAndRemove(
  credentialId: string,
  provider: DnsProvider,
  zone: ProviderZone,
  name: string,
  { store, clock }: { store: Store; clock: Clock },
  signal: AbortSignal,
): Promise<void> {
  const now = clock.now();
  const value = `gatehouse-proof-${newSecret(16)}`;
  const id = newId('dnsrec', now);
  // Noted first, so that a proof that is killed half way leaves nothing behind.
  await store.write((tx) =>
    insertDnsRecords(tx, [
      {
        id,
        presentation_id: id,
        owner: `proof:${credentialId}`,
        credential_id: credentialId,
        zone: zone.name,
        zone_ref: zone.ref,
        name,
        asked_name: name,
        value,
        provider_ref: null,
        state: 'planned',
        attempts: 0,
        due_at: now + REMOVED_AFTER_MS,
        problem: null,
        created_at: now,
      },
    ]),
  );
  const record = { name, value };
  const ref = await provider.add(zone, record, signal);
  await provider.remove(zone, record, ref, signal);
  await store.write((tx) => deleteDnsRecord(tx, id));
}

function unfit(detail: string, advice: string): Fault {
  return new Fault({ code: 'dns_credential_unfit', detail, party: 'operator', retry: 'never', advice });
}

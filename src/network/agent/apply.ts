import { Fault, faultOf } from '../../base/index.ts';
import { type DesiredState, TABLE } from '../desired-state.ts';
import type { WireguardConfig } from '../render-wireguard.ts';
import { interfaces, type Machine } from './machine.ts';
import { applyWireguard, type WireguardPlace } from './wireguard.ts';

/** What the agent has put on the machine, kept in a file so that it takes away no address but its own. */
export interface Applied {
  readonly version: string;
  readonly ruleset?: string;
  readonly addresses: readonly string[];
  readonly wireguard?: WireguardConfig;
  /** What tables before the one that is there now counted, by mapping. */
  readonly counted?: Counters;
}

/** Connections that each mapping let through and refused, by mapping. */
export type Counters = Readonly<Record<string, { readonly accepted: number; readonly refused: number }>>;

export const NOTHING_APPLIED: Applied = { version: '', addresses: [] };

const NO_TABLE = `table inet ${TABLE}\ndelete table inet ${TABLE}\n`;

/**
 * Brings the machine from what was applied to what is wanted: checked first, then replaced in one transaction of nft,
 * last of all, so that a failure leaves the old table. Whatever else was changed is put back, and the failure is thrown. `note` makes a promise of what will
 * be there durable before it is, so that a crash leaves no address that nobody remembers.
 */
export async function applyState(
  machine: Machine,
  before: Applied,
  wanted: DesiredState,
  place: WireguardPlace,
  note: (applied: Applied) => void,
): Promise<Applied> {
  const after: Applied = {
    version: wanted.version,
    ...(wanted.ruleset !== undefined && { ruleset: wanted.ruleset }),
    addresses: wanted.addresses,
    ...(wanted.wireguard !== undefined && { wireguard: wanted.wireguard }),
    ...(wanted.ruleset !== undefined && { counted: await countSoFar(machine, before, wanted.ruleset) }),
  };
  if (wanted.ruleset !== undefined) await machine.run('nft', ['-c', '-f', '-'], wanted.ruleset);
  note({ ...before, addresses: [...new Set([...before.addresses, ...wanted.addresses])] });
  try {
    await applyWireguard(machine, place, before.wireguard, wanted.wireguard);
    await moveAddresses(machine, before.addresses, wanted);
    if (wanted.ruleset !== undefined || before.ruleset !== undefined)
      await machine.run('nft', ['-f', '-'], wanted.ruleset ?? NO_TABLE);
  } catch (error) {
    await putBack(machine, before, wanted, place);
    note(before);
    throw error;
  }
  note(after);
  return after;
}

/** Adds before it takes away, so that an address that stays is never gone. */
async function moveAddresses(machine: Machine, before: readonly string[], wanted: DesiredState): Promise<void> {
  if (before.length + wanted.addresses.length === 0) return;
  const there = await interfaces(machine);
  for (const address of wanted.addresses) {
    if (there.some(({ hosts }) => hosts.includes(bare(address)))) continue;
    const home = there.find(
      ({ hosts }) => hosts.includes(wanted.peer.ipv6 ?? '') || hosts.includes(wanted.peer.ipv4 ?? ''),
    );
    if (home === undefined)
      throw new Fault({
        code: 'no_overlay_interface',
        detail: `no interface here has the peer's own address (${wanted.peer.ipv6 ?? wanted.peer.ipv4}), so ${address} has no place`,
        party: 'operator',
        retry: 'backoff',
        advice: 'give an interface the address that the peer has in the network',
      });
    // An address that is on probation (RFC 4862 §5.4) refuses connections for a second or two; it was chosen to be free.
    const quick = address.includes(':') ? ['nodad'] : [];
    await machine.run('ip', ['addr', 'add', address, 'dev', home.name, ...quick]);
  }
  for (const address of before.filter((one) => !wanted.addresses.includes(one))) {
    const home = there.find(({ hosts }) => hosts.includes(bare(address)));
    if (home !== undefined) await machine.run('ip', ['addr', 'del', address, 'dev', home.name]);
  }
}

async function putBack(machine: Machine, before: Applied, wanted: DesiredState, place: WireguardPlace): Promise<void> {
  const state: DesiredState = { ...wanted, addresses: before.addresses };
  const added = wanted.addresses.filter((address) => !before.addresses.includes(address));
  await moveAddresses(machine, [...before.addresses, ...added], state).catch(() => {});
  await applyWireguard(machine, place, wanted.wireguard, before.wireguard).catch(() => {});
}

const bare = (cidr: string): string => cidr.split('/')[0] ?? '';

/** A new table counts from nothing, so what the old one counted is kept, for mappings that stay. */
async function countSoFar(machine: Machine, before: Applied, ruleset: string): Promise<Counters> {
  const all = totalCounters(before.counted, await readCounters(machine));
  return Object.fromEntries(Object.entries(all).filter(([id]) => ruleset.includes(`counter ${id}_accepted`)));
}

export function totalCounters(kept: Counters = {}, now: Counters): Counters {
  const ids = [...new Set([...Object.keys(kept), ...Object.keys(now)])];
  return Object.fromEntries(
    ids.map((id) => [
      id,
      {
        accepted: (kept[id]?.accepted ?? 0) + (now[id]?.accepted ?? 0),
        refused: (kept[id]?.refused ?? 0) + (now[id]?.refused ?? 0),
      },
    ]),
  );
}

/** Since the table that is there now was made. */
export async function readCounters(machine: Machine): Promise<Counters> {
  const counters: Record<string, { accepted: number; refused: number }> = {};
  let text: string;
  try {
    text = await machine.run('nft', ['-j', 'list', 'counters', 'table', 'inet', TABLE]);
  } catch (error) {
    // No mapping, no table.
    if (faultOf(error).code === 'command_failed') return counters;
    throw error;
  }
  const { nftables } = JSON.parse(text) as { nftables: { counter?: { name: string; packets: number } }[] };
  for (const { counter } of nftables) {
    const [, id, kind] = /^(map_[0-9a-z]+)_(accepted|refused)$/.exec(counter?.name ?? '') ?? [];
    if (counter === undefined || id === undefined) continue;
    counters[id] ??= { accepted: 0, refused: 0 };
    counters[id][kind as 'accepted' | 'refused'] = counter.packets;
  }
  return counters;
}

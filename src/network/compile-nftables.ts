import { type Family, parseCidr, withoutCovered } from './address.ts';
import type { HubIntent, ResolvedMapping } from './hub-intent.ts';

// The first connections of a client come in a bunch; a limit without a burst would refuse a browser's page load.
const BURST_SECONDS = 2;

const IP: Record<Family, string> = { ipv6: 'ip6', ipv4: 'ip' };
const FAMILIES: readonly Family[] = ['ipv4', 'ipv6'];

/**
 * The nftables ruleset of a hub: one table of our own, replaced as a whole in one transaction of `nft -f`. The same
 * intent gives the same bytes, whatever the order of its mappings. `table` is the name of the table in family inet.
 */
export function compileNftables(intent: HubIntent, table: string): string {
  const mappings = [...intent.mappings].sort(
    (a, b) => a.listenPort - b.listenPort || compareText(a.protocol, b.protocol) || compareText(a.id, b.id),
  );
  // Declared first so that the deletion succeeds on a machine that has no such table yet.
  const replace = [`table inet ${table}`, `delete table inet ${table}`];
  if (mappings.length === 0) return lines(replace);
  return lines([
    ...replace,
    `table inet ${table} {`,
    ...mappings.flatMap(({ id }) => [`\tcounter ${id}_accepted {`, '\t}', `\tcounter ${id}_refused {`, '\t}']),
    '',
    // After connection tracking (-200), before destination NAT (-100): the port is still the one the client asked for.
    ...chain('guard', 'type filter hook prerouting priority mangle; policy accept;', mappings.map(guardJump)),
    ...mappings.flatMap((mapping) => chain(`guard_${mapping.id}`, undefined, guardRules(mapping))),
    ...chain(
      'forward_in',
      'type nat hook prerouting priority dstnat; policy accept;',
      mappings.flatMap((mapping) => translations(mapping, () => 'fib daddr type local')),
    ),
    ...chain(
      'forward_own',
      'type nat hook output priority -100; policy accept;',
      mappings.flatMap((mapping) =>
        translations(mapping, (family) => {
          const address = intent.hub[family];
          return address === undefined ? undefined : `${IP[family]} daddr ${address}`;
        }),
      ),
    ),
    ...chain(
      'return_path',
      'type nat hook postrouting priority srcnat; policy accept;',
      mappings.flatMap((mapping) => returnPath(mapping, intent)),
    ),
    '}',
  ]);
}

const lines = (list: readonly string[]): string => `${list.join('\n')}\n`;
const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function chain(name: string, head: string | undefined, rules: readonly string[]): string[] {
  return [
    `\tchain ${name} {`,
    ...(head === undefined ? [] : [`\t\t${head}`]),
    ...rules.map((rule) => `\t\t${rule}`),
    '\t}',
  ];
}

const guardJump = ({ id, protocol, listenPort }: ResolvedMapping): string =>
  `ct state new fib daddr type local ${protocol} dport ${listenPort} goto guard_${id}`;

function guardRules(mapping: ResolvedMapping): string[] {
  const { id, newPerSecond, mostConnections } = mapping;
  const refuse = `counter name "${id}_refused" drop`;
  return [
    ...FAMILIES.flatMap((family) => sourceRule(mapping, family, refuse)),
    ...(newPerSecond === undefined
      ? []
      : [`limit rate over ${newPerSecond}/second burst ${newPerSecond * BURST_SECONDS} packets ${refuse}`]),
    ...(mostConnections === undefined ? [] : [`ct count over ${mostConnections} ${refuse}`]),
    `counter name "${id}_accepted"`,
  ];
}

/** A list in one family says that the sources are known, so a family without a list is closed and not open to all. */
function sourceRule({ sources }: ResolvedMapping, family: Family, refuse: string): string[] {
  const named = withoutCovered(sources[family].flatMap((text) => parseCidr(text) ?? []));
  if (named.length > 0) {
    const set = named.map(({ base, prefix }) => `${base}/${prefix}`).join(', ');
    return [`${IP[family]} saddr != { ${set} } ${refuse}`];
  }
  const listed = sources.ipv4.length + sources.ipv6.length > 0;
  return listed ? [`meta nfproto ${family} ${refuse}`] : [];
}

function translations(mapping: ResolvedMapping, match: (family: Family) => string | undefined): string[] {
  const { target, protocol, listenPort } = mapping;
  // To the hub's own program at the same port there is nothing to translate.
  if (target.kind === 'here' && target.port === listenPort) return [];
  return FAMILIES.flatMap((family) => {
    const condition = match(family);
    const address = target.kind === 'there' ? target[family] : undefined;
    if (condition === undefined || (target.kind === 'there' && address === undefined)) return [];
    const head = `meta nfproto ${family} ${condition} ${protocol} dport ${listenPort}`;
    if (target.kind === 'here') return [`${head} redirect to :${target.port}`];
    const place = family === 'ipv6' ? `[${address}]` : address;
    return [`${head} dnat ${IP[family]} to ${place}:${target.port}`];
  });
}

/**
 * Answers must come back through the hub. A target in the overlay sends them its own way, so it has to see the hub as
 * the source; with `preserveSource` the operator vouches for the way back, except for clients inside the overlay.
 */
function returnPath({ target, protocol, listenPort, preserveSource }: ResolvedMapping, intent: HubIntent): string[] {
  if (target.kind === 'here') return [];
  return FAMILIES.flatMap((family) => {
    const address = target[family];
    const overlay = intent.overlay[family];
    if (address === undefined || (preserveSource && overlay === undefined)) return [];
    const inside = preserveSource ? `${IP[family]} saddr ${overlay} ` : '';
    const toTarget = `${IP[family]} daddr ${address} ${protocol} dport ${target.port}`;
    return [`${inside}${toTarget} ct status dnat ct original proto-dst ${listenPort} masquerade`];
  });
}

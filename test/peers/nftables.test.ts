// Whatever a hub may be asked to forward: real nft takes it, nothing is left out in silence, nobody else's table changes.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { test } from 'node:test';
import fc from 'fast-check';
import { compileNftables } from '../../src/network/compile-nftables.ts';
import { type NetworkFacts, resolveHub } from '../../src/network/hub-intent.ts';
import type { PeerRow } from '../../src/store/peers.ts';
import type { PortMappingRow, VirtualIpRow } from '../../src/store/virtual-ips.ts';
import { createNamespaces } from '../fixtures/namespaces.ts';

const RUNS = 60;
const HUB = 'peer_0';

const port = fc.integer({ min: 1, max: 65_535 });
const hexGroup = fc.nat(0xffff).map((group) => group.toString(16));
const address = {
  ipv4: fc
    .tuple(fc.integer({ min: 1, max: 223 }), fc.nat(255), fc.nat(255), fc.nat(255))
    .map((octets) => octets.join('.')),
  ipv6: fc.array(hexGroup, { minLength: 6, maxLength: 6 }).map((groups) => ['fd42', ...groups, '1'].join(':')),
};
const cidr = {
  ipv4: fc.tuple(address.ipv4, fc.integer({ min: 1, max: 32 })).map((parts) => parts.join('/')),
  ipv6: fc.tuple(address.ipv6, fc.integer({ min: 1, max: 128 })).map((parts) => parts.join('/')),
};
const maybe = <T>(one: fc.Arbitrary<T>) => fc.option(one, { nil: null });
const list = (one: fc.Arbitrary<string>) => fc.array(one, { maxLength: 6 }).map((all) => JSON.stringify(all));
const times = { created_at: 0, updated_at: 0 };

const peers: fc.Arbitrary<PeerRow[]> = fc
  .array(
    fc.record({
      ipv4: maybe(address.ipv4),
      ipv6: maybe(address.ipv6),
      public_ipv4: maybe(address.ipv4),
      public_ipv6: maybe(address.ipv6),
      publicly_reachable: fc.constantFrom(0, 1, 1, 1),
    }),
    { minLength: 1, maxLength: 4 },
  )
  .map((all) =>
    all.map((one, index) => ({
      id: `peer_${index}`,
      network_id: 'net',
      instance_id: null,
      name: `peer-${index}`,
      proxy_https_port: null,
      proxy_http_port: null,
      endpoint: null,
      public_key: null,
      ...one,
      ...times,
    })),
  );

const virtualIps: fc.Arbitrary<VirtualIpRow[]> = fc
  .array(fc.record({ ipv4: maybe(address.ipv4), ipv6: maybe(address.ipv6), holder: fc.nat(4) }), { maxLength: 3 })
  .map((all) =>
    all.map(({ holder, ...one }, index) => ({
      id: `vip_${index}`,
      network_id: 'net',
      name: `expose-${index}.example.com`,
      holder_peer_id: `peer_${holder}`,
      ...one,
      ...times,
    })),
  );

/** Also to peers and virtual IPs that are not there, and of other hubs. */
const mappings: fc.Arbitrary<PortMappingRow[]> = fc
  .uniqueArray(
    fc.record({
      id: fc.stringMatching(/^map_[0-9a-z]{26}$/),
      hub: fc.constantFrom(HUB, HUB, HUB, 'peer_1'),
      listen_port: port,
      protocol: fc.constantFrom('tcp' as const, 'udp' as const),
      target: fc.oneof(
        fc.nat(4).map((n) => `peer_${n}`),
        fc.nat(3).map((n) => `vip_${n}`),
      ),
      target_port: port,
      new_per_second: maybe(fc.integer({ min: 1, max: 1_000_000 })),
      most_connections: maybe(fc.integer({ min: 1, max: 1_000_000 })),
      sources_ipv4: list(cidr.ipv4),
      sources_ipv6: list(cidr.ipv6),
      preserve_source: fc.constantFrom(0, 1),
      opened: fc.constantFrom(0, 1, 1, 1),
    }),
    {
      maxLength: 12,
      comparator: (a, b) =>
        a.id === b.id || (a.hub === b.hub && a.listen_port === b.listen_port && a.protocol === b.protocol),
    },
  )
  .map((all) =>
    all.map(({ hub, target, ...one }) => ({
      ...one,
      network_id: 'net',
      hub_peer_id: hub,
      target_peer_id: target.startsWith('peer') ? target : null,
      target_virtual_ip_id: target.startsWith('vip') ? target : null,
      ...times,
    })),
  );

const facts: fc.Arbitrary<NetworkFacts> = fc
  .record({ ipv4: maybe(cidr.ipv4), ipv6: maybe(cidr.ipv6), peers, virtualIps, mappings })
  .map(({ ipv4, ipv6, ...rest }) => ({
    network: { id: 'net', name: 'net', ipv4, ipv6, topology: 'hub-and-spoke', ...times },
    ...rest,
  }));

test('any intent: nft takes it, every mapping is forwarded or listed, and no table but ours changes', (t) => {
  const ns = createNamespaces(t, ['h']);
  if (ns === undefined) return;
  const nft = (argv: readonly string[], input = '') =>
    spawnSync('ip', ['netns', 'exec', ns.name('h'), 'nft', ...argv], { input, encoding: 'utf8' });
  execFileSync('ip', ['netns', 'exec', ns.name('h'), 'nft', 'add table inet somebody_else']);
  execFileSync('ip', ['netns', 'exec', ns.name('h'), 'nft', 'add chain inet somebody_else input']);
  const theirs = () => nft(['list', 'table', 'inet', 'somebody_else']).stdout;
  const before = theirs();
  const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
  t.diagnostic(`seed ${seed}`);
  fc.assert(
    fc.property(facts, fc.infiniteStream(fc.nat()), (known, random) => {
      const hub = known.peers[0]!;
      const { intent, unresolved } = resolveHub(hub, known);
      const own = known.mappings.filter(({ hub_peer_id }) => hub_peer_id === HUB).map(({ id }) => id);
      assert.deepEqual([...intent.mappings, ...unresolved].map(({ id }) => id).sort(), own.sort());
      for (const { reason } of unresolved) assert.ok(reason.length > 10, reason);

      const ruleset = compileNftables(intent, 'gatehouse');
      const keys = new Map(intent.mappings.map(({ id }) => [id, random.next().value]));
      const shuffled = intent.mappings.toSorted((a, b) => keys.get(a.id)! - keys.get(b.id)!);
      assert.equal(
        compileNftables({ ...intent, mappings: shuffled }, 'gatehouse'),
        ruleset,
        'the order is of no matter',
      );
      for (const { id } of intent.mappings) assert.ok(ruleset.includes(`goto guard_${id}`), id);
      for (const { id } of unresolved) assert.ok(!ruleset.includes(id), id);

      for (const argv of [
        ['-c', '-f', '-'],
        ['-f', '-'],
      ]) {
        const { status, stderr } = nft(argv, ruleset);
        assert.equal(status, 0, `${stderr}\n${ruleset}`);
      }
      const tables = nft(['list', 'tables']).stdout.trim().split('\n');
      const wanted = ['table inet somebody_else', ...(intent.mappings.length > 0 ? ['table inet gatehouse'] : [])];
      assert.deepEqual(tables.sort(), wanted.sort());
    }),
    { seed, numRuns: RUNS },
  );
  assert.equal(theirs(), before);
});

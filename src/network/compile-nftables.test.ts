import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { compileNftables } from './compile-nftables.ts';
import type { HubIntent, ResolvedMapping } from './hub-intent.ts';

const mapping = (change: Partial<ResolvedMapping> = {}): ResolvedMapping => ({
  id: 'map_a',
  listenPort: 443,
  protocol: 'tcp',
  target: { kind: 'there', ipv6: 'fd42::10', ipv4: '10.42.0.10', port: 8443 },
  sources: { ipv6: [], ipv4: [] },
  preserveSource: false,
  ...change,
});

const intent = (...mappings: ResolvedMapping[]): HubIntent => ({
  overlay: { ipv6: 'fd42::/64', ipv4: '10.42.0.0/24' },
  hub: { ipv4: '198.51.100.1', ipv6: '2001:db8::1' },
  mappings,
});

const compile = (...mappings: ResolvedMapping[]) => compileNftables(intent(...mappings), 'gatehouse');

test('a mapping becomes counters, a guard, translations in both families and a way back', () => {
  assert.equal(
    compile(mapping()),
    `table inet gatehouse
delete table inet gatehouse
table inet gatehouse {
	counter map_a_accepted {
	}
	counter map_a_refused {
	}

	chain guard {
		type filter hook prerouting priority mangle; policy accept;
		ct state new fib daddr type local tcp dport 443 goto guard_map_a
	}
	chain guard_map_a {
		counter name "map_a_accepted"
	}
	chain forward_in {
		type nat hook prerouting priority dstnat; policy accept;
		meta nfproto ipv4 fib daddr type local tcp dport 443 dnat ip to 10.42.0.10:8443
		meta nfproto ipv6 fib daddr type local tcp dport 443 dnat ip6 to [fd42::10]:8443
	}
	chain forward_own {
		type nat hook output priority -100; policy accept;
		meta nfproto ipv4 ip daddr 198.51.100.1 tcp dport 443 dnat ip to 10.42.0.10:8443
		meta nfproto ipv6 ip6 daddr 2001:db8::1 tcp dport 443 dnat ip6 to [fd42::10]:8443
	}
	chain return_path {
		type nat hook postrouting priority srcnat; policy accept;
		ip daddr 10.42.0.10 tcp dport 8443 ct status dnat ct original proto-dst 443 masquerade
		ip6 daddr fd42::10 tcp dport 8443 ct status dnat ct original proto-dst 443 masquerade
	}
}
`,
  );
});

test('no mappings: the table goes', () => {
  assert.equal(compile(), 'table inet gatehouse\ndelete table inet gatehouse\n');
});

test('guards: sources per family, rate, connections', () => {
  const text = compile(
    mapping({
      newPerSecond: 50,
      mostConnections: 200,
      sources: { ipv4: ['10.1.0.0/16', '10.0.0.0/8', '192.0.2.0/24'], ipv6: [] },
    }),
  );
  const guard = text.slice(text.indexOf('chain guard_map_a'), text.indexOf('chain forward_in'));
  assert.deepEqual(
    guard
      .split('\n')
      .slice(1, 6)
      .map((line) => line.trim()),
    [
      'ip saddr != { 10.0.0.0/8, 192.0.2.0/24 } counter name "map_a_refused" drop',
      'meta nfproto ipv6 counter name "map_a_refused" drop',
      'limit rate over 50/second burst 100 packets counter name "map_a_refused" drop',
      'ct count over 200 counter name "map_a_refused" drop',
      'counter name "map_a_accepted"',
    ],
  );
});

test('the hub itself as target: a redirect, or nothing at the same port', () => {
  assert.match(compile(mapping({ target: { kind: 'here', port: 8443 } })), /tcp dport 443 redirect to :8443/);
  const same = compile(mapping({ target: { kind: 'here', port: 443 } }));
  assert.doesNotMatch(same, /redirect|dnat ip|masquerade/);
  assert.match(same, /goto guard_map_a/);
});

test('a target in one family is forwarded in that family alone', () => {
  const text = compile(mapping({ target: { kind: 'there', ipv6: 'fd42::10', port: 1 } }));
  assert.doesNotMatch(text, /nfproto ipv4|dnat ip to/);
});

test('a preserved source is hidden only from clients inside the overlay', () => {
  assert.match(
    compile(mapping({ preserveSource: true })),
    /ip saddr 10\.42\.0\.0\/24 ip daddr 10\.42\.0\.10 tcp dport 8443 ct status dnat/,
  );
});

test('the same intent gives the same bytes in any order', () => {
  const some = [443, 80, 53, 5353].flatMap((listenPort) =>
    (['tcp', 'udp'] as const).map((protocol) => mapping({ id: `map_${listenPort}${protocol}`, listenPort, protocol })),
  );
  const wanted = compile(...some);
  fc.assert(
    fc.property(fc.shuffledSubarray(some, { minLength: some.length }), (order) => {
      assert.equal(compile(...order), wanted);
    }),
  );
});

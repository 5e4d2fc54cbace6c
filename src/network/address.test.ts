import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { canonicalAddress, cidrText, contains, freeAddress, isGlobal, parseCidr, withoutCovered } from './address.ts';

const cidr = (text: string) => {
  const parsed = parseCidr(text);
  assert.ok(parsed, text);
  return parsed;
};

test('an address has one spelling', () => {
  assert.deepEqual(canonicalAddress('FD42:0:0::0010'), { family: 'ipv6', address: 'fd42::10' });
  assert.deepEqual(canonicalAddress('192.0.2.7'), { family: 'ipv4', address: '192.0.2.7' });
  for (const wrong of ['', '192.0.2', '0xc0.0.2.1', '010.0.0.1', 'fe80::1%eth0', '::ffff:192.0.2.1', 'a.b', '1:2'])
    assert.equal(canonicalAddress(wrong), undefined, wrong);
});

test('a range has no bits behind its prefix', () => {
  assert.equal(cidrText(cidr('FD42::/64')), 'fd42::/64');
  assert.equal(cidrText(cidr('192.0.2.7')), '192.0.2.7/32');
  for (const wrong of ['fd42::1/64', '10.0.0.0/33', '10.0.0.0/', '10.0.0.0/8/8', 'fd42::/129', 'x/8', '10.0.0.0/-1'])
    assert.equal(parseCidr(wrong), undefined, wrong);
});

test('covered ranges go, and what is left covers the same', () => {
  const kept = withoutCovered(['10.1.0.0/16', '10.0.0.0/8', '192.0.2.0/24', '10.0.0.0/8', 'fd00::/8'].map(cidr));
  assert.deepEqual(kept.map(cidrText), ['10.0.0.0/8', '192.0.2.0/24', 'fd00::/8']);
  const anyCidr = fc.tuple(fc.nat(7), fc.integer({ min: 24, max: 32 })).map(([n, prefix]) => {
    const value = (n * 37) & (256 - 2 ** (32 - prefix)) & 255;
    return cidr(`10.0.0.${value}/${prefix}`);
  });
  fc.assert(
    fc.property(fc.array(anyCidr, { maxLength: 8 }), (list) => {
      const kept = withoutCovered(list);
      for (const one of list) assert.ok(kept.some((k) => contains(k, one)));
      for (const a of kept) for (const b of kept) assert.ok(a === b || !contains(a, b));
    }),
  );
});

test('a free address is suggested until there is none', () => {
  assert.equal(freeAddress(cidr('fd42::/64'), new Set(['fd42::1', 'fd42::2'])), 'fd42::3');
  assert.equal(freeAddress(cidr('10.0.0.0/30'), new Set(['10.0.0.1'])), '10.0.0.2');
  assert.equal(freeAddress(cidr('10.0.0.0/30'), new Set(['10.0.0.1', '10.0.0.2'])), undefined);
});

test('what the internet routes is told from what it does not', () => {
  for (const yes of ['8.8.8.8', '2606:4700::1111']) assert.ok(isGlobal(yes), yes);
  for (const no of ['10.0.0.1', '127.0.0.1', 'fd00::1', 'fe80::1', '100.64.0.1', '192.0.2.1', '::1', 'nonsense'])
    assert.ok(!isGlobal(no), no);
});

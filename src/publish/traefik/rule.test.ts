import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { goString, httpRule, rulePriority, sniRule } from './rule.ts';

test('rules match hosts, whole path segments and one wildcard label', () => {
  assert.equal(httpRule({ host: 'shop.example.com', path: '/' }), 'Host(`shop.example.com`)');
  assert.equal(
    httpRule({ host: 'shop.example.com', path: '/api' }),
    'Host(`shop.example.com`) && (Path(`/api`) || PathPrefix(`/api/`))',
  );
  assert.equal(httpRule({ host: '*.example.com', path: '/' }), 'HostRegexp(`^[^.]+\\.example\\.com$`)');
  assert.equal(sniRule('*.example.com'), 'HostSNIRegexp(`^[^.]+\\.example\\.com$`)');
});

test('exact hosts come before wildcards, longer paths before shorter ones', () => {
  const order = [
    { host: '*.example.com', path: '/' },
    { host: '*.example.com', path: `/${'a'.repeat(20_000)}` },
    { host: 'shop.example.com', path: '/' },
    { host: 'shop.example.com', path: '/api' },
  ].map(rulePriority);
  assert.deepEqual(
    order,
    [...order].sort((a, b) => a - b),
  );
});

/** Go string literals of a rule, decoded; what is between them, with each literal as `S`. */
function readRule(rule: string): { skeleton: string; strings: string[] } {
  const strings: string[] = [];
  const skeleton = rule.replace(/`([^`]*)`|"((?:[^"\\\n]|\\.)*)"/gs, (_, raw?: string, quoted?: string) => {
    strings.push(
      raw ??
        quoted!.replace(
          /\\(?:U([0-9a-f]{8})|u([0-9a-f]{4})|(.))/gs,
          (__, long?: string, short?: string, one?: string) =>
            one === undefined ? String.fromCodePoint(Number.parseInt(long ?? short!, 16)) : one,
        ),
    );
    return 'S';
  });
  return { skeleton, strings };
}

test('no text, however hostile, can end its string or change the rule around it', () => {
  const hostile = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: fc.constantFrom('`', '"', '\\', ')', '(', ' || ', '\n', '\r', '\0', 'Host(`', '$', 'é', '💥') }),
  );
  fc.assert(
    fc.property(hostile, hostile, (host, path) => {
      assert.deepEqual(readRule(goString(host)), { skeleton: 'S', strings: [host.toWellFormed()] });
      const { skeleton } = readRule(httpRule({ host, path: `/${path}` }));
      assert.match(skeleton, /^Host(Regexp)?\(S\)( && (PathPrefix\(S\)|\(Path\(S\) \|\| PathPrefix\(S\)\)))?$/);
      // No line ends inside a literal: Go's quoted strings have none, and YAML keeps the rule on one line.
      assert.doesNotMatch(goString(host), /[\n\r\0]/);
    }),
    { numRuns: 500 },
  );
});

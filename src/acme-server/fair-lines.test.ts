import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createFairLines, type Waiting } from './fair-lines.ts';

const SHARES = { total: 6, type: 4, account: 3 };
const job = fc.record({ account: fc.constantFrom('a', 'b', 'c', 'd'), type: fc.constantFrom('http', 'dns', 'tls') });

test('whatever waits and ends in whatever order: shares are kept, and each job has its turn once', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(job, fc.nat(20)), { maxLength: 120 }), (steps) => {
      const lines = createFairLines<Waiting>(SHARES);
      const underWay: Waiting[] = [];
      const begun: string[] = [];
      let added = 0;
      const begin = () => {
        for (let next = lines.take(); next !== undefined; next = lines.take()) {
          underWay.push(next);
          begun.push(next.id);
        }
        const most = (by: 'account' | 'type') =>
          Math.max(0, ...underWay.map((one) => underWay.filter((other) => other[by] === one[by]).length));
        assert.ok(underWay.length <= SHARES.total && most('account') <= SHARES.account && most('type') <= SHARES.type);
        assert.equal(lines.underWay, underWay.length);
      };
      const end = (index: number) => {
        const [over] = underWay.splice(index % underWay.length, 1);
        lines.done(over!);
      };
      for (const step of steps) {
        if (typeof step !== 'number') {
          const waiting = { ...step, id: `job-${added++}` };
          assert.ok(lines.add(waiting) && !lines.add(waiting));
        } else if (underWay.length > 0) end(step);
        begin();
      }
      while (underWay.length > 0) {
        end(0);
        begin();
      }
      assert.equal(new Set(begun).size, begun.length);
      assert.equal(begun.length, added, 'a job never had its turn');
    }),
  );
});

test("an account's first job waits for no line of another's", () => {
  const lines = createFairLines<Waiting>(SHARES);
  for (let n = 0; n < 1000; n++) lines.add({ id: `a${n}`, account: 'a', type: 'http' });
  for (let n = 0; n < SHARES.account; n++) assert.equal(lines.take()?.account, 'a');
  assert.equal(lines.take(), undefined);
  lines.add({ id: 'b', account: 'b', type: 'http' });
  assert.equal(lines.take()?.account, 'b');
});

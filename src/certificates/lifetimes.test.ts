import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { FailureClass } from '../store/certificates.ts';
import { FAILURE_CLASSES } from '../store/certificates.ts';
import { BACKOFF, retryTime } from './failure.ts';
import { type Facts, planStep } from './plan.ts';
import { renewByFraction, renewByInfo } from './renewal-time.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const START = Date.UTC(2026, 0, 1);
const policy = { graceMs: 7 * DAY };

/** Ten lifetimes of one certificate whose CA fails at random, and never for longer than a sixth of a lifetime. */
function walk(
  lifetimeDays: number,
  random: () => number,
  usesInfo: boolean,
  failing: (now: number) => FailureClass | undefined,
) {
  const lifetime = lifetimeDays * DAY;
  let facts: Facts = { kind: 'acme', status: 'pending', staging: false };
  let now = START;
  let issued = 0;
  let attempts = 0;
  let lapsed = 0;
  let asked = 0;
  const end = START + 10 * lifetime;
  for (let steps = 0; now < end && steps < 100_000; steps++) {
    const step = planStep(facts, policy, now);
    if (step.do === 'wait') {
      assert.ok(step.until !== undefined && step.until > now, `waits for the past: ${JSON.stringify(step)}`);
      now = step.until;
      continue;
    }
    if (step.do === 'note-expiry') {
      lapsed++;
      facts = { ...facts, status: 'expired' };
      continue;
    }
    if (step.do === 'ask-renewal-info') {
      asked++;
      const served = facts.served!;
      const window = { start: served.notBefore + lifetime * 0.6, end: served.notBefore + lifetime * 0.65 };
      const renewAt = renewByInfo(window, served, random(), facts.renewalInfo);
      facts = {
        ...facts,
        renewAt,
        renewalInfo: { versionId: served.id, ...window, askAgainAt: now + 6 * HOUR, renewAt },
      };
      continue;
    }
    assert.equal(step.do, 'issue');
    const failure = failing(now);
    if (failure !== undefined) {
      attempts++;
      const servedUntil = facts.served?.notAfter;
      const retryAt = retryTime({ failure, attempts, now, random: random(), ...(servedUntil && { servedUntil }) });
      assert.ok(retryAt > now, 'a retry in the past');
      assert.ok(retryAt - now <= BACKOFF[failure].most * 1.125 + 1, 'a retry beyond the cap');
      facts = {
        ...facts,
        status: 'failed',
        problem: { class: failure, code: 'x', detail: 'x', party: 'ca', at: now, retryAt },
      };
      continue;
    }
    issued++;
    attempts = 0;
    const validity = { notBefore: now, notAfter: now + lifetime };
    facts = {
      kind: 'acme',
      status: 'valid',
      staging: false,
      served: { id: `v${issued}`, ...validity, staging: false, asksRenewalInfo: usesInfo },
      renewAt: renewByFraction(validity, random()),
    };
  }
  return { issued, lapsed, asked, ended: now >= end };
}

test('6-, 45-, 64-, 90- and 200-day certificates never lapse, whatever fails for a sixth of their life', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(6, 45, 64, 90, 200),
      fc.boolean(),
      fc.constantFrom(...FAILURE_CLASSES),
      fc.infiniteStream(fc.double({ min: 0, max: 0.999_999, noNaN: true })),
      fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 10, maxLength: 10 }),
      (days, usesInfo, failure, stream, phases) => {
        const random = () => stream.next().value!;
        const lifetime = days * DAY;
        // One outage in each lifetime, at any moment of it.
        const outages = phases.map((phase, index) => START + (index + phase * 0.8) * lifetime);
        const failing = (now: number) =>
          now > START && outages.some((at) => now >= at && now < at + lifetime / 6) ? failure : undefined;
        const { issued, lapsed, ended } = walk(days, random, usesInfo, failing);
        assert.ok(ended, 'came to an end');
        assert.equal(lapsed, 0);
        // Renewed once in two thirds of a lifetime or so, and not more often than failures explain.
        assert.ok(issued >= 14 && issued <= 22, `${issued} issued`);
      },
    ),
    { numRuns: 300 },
  );
});

test('a CA that fails for ever is asked for ever, and less and less often', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...FAILURE_CLASSES),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      (failure, draw) => {
        let now = START;
        for (let attempts = 1; attempts <= 50; attempts++) {
          const next = retryTime({ failure, attempts, now, random: draw });
          assert.ok(next > now && next - now <= BACKOFF[failure].most * 1.125 + 1);
          now = next;
        }
        assert.ok(now - START > 12 * BACKOFF[failure].most * 0.5);
      },
    ),
  );
});

test('renewals of certificates issued together are spread over a tenth of their lifetime', () => {
  const validity = { notBefore: START, notAfter: START + 90 * DAY };
  const hours = new Map<number, number>();
  const count = 20_000;
  for (let i = 0; i < count; i++) {
    const hour = Math.floor(renewByFraction(validity, i / count) / HOUR);
    hours.set(hour, (hours.get(hour) ?? 0) + 1);
  }
  assert.ok(hours.size >= 9 * 24 - 1);
  assert.ok(Math.max(...hours.values()) < (count / (9 * 24)) * 1.2);
});

test("a CA's Retry-After is kept to, and a window that leaves no time is not waited for", () => {
  const notBefore = START + 3 * DAY;
  assert.equal(retryTime({ failure: 'rate-limit', attempts: 1, notBefore, now: START, random: 0 }), notBefore);
  const validity = { notBefore: START, notAfter: START + 80 * DAY };
  const late = { start: START + 79 * DAY, end: START + 80 * DAY };
  assert.equal(renewByInfo(late, validity, 0.5), START + 70 * DAY);
  const past = { start: START - DAY, end: START - HOUR };
  assert.ok(renewByInfo(past, validity, 0.5) < START);
});

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import {
  by,
  createIngressWorld,
  createWorldMissions,
  drive,
  exposeInput,
  type IngressWorld,
} from '../../test/fixtures/ingress.ts';
import { Fault } from '../base/index.ts';
import { createPeers, createPortMappings, createVirtualIps } from '../network/index.ts';
import { listExposures } from '../store/exposures.ts';
import type { Store } from '../store/index.ts';
import { EndOfTheWorld } from './run.ts';

const KIND = 'expose_service_publicly';
const never = new AbortController().signal;

async function exposed(world: IngressWorld, change: Record<string, unknown> = {}) {
  const { missions, runner } = createWorldMissions(world);
  const { id } = await missions.propose(KIND, exposeInput(world, change), by('ann'));
  await missions.approve(id, by('ann'));
  await drive(world.clock, runner.reconcile(never));
  return (await missions.get(id))!;
}

async function things({ deps, certificates }: IngressWorld) {
  const page = { limit: 50 };
  return {
    vips: (await createVirtualIps(deps).list(page)).map(({ name }) => name),
    mappings: (await createPortMappings(deps).list(page)).map((row) => `${row.listen_port}>${row.target_port}`),
    exposures: (await listExposures(deps.store.db, {}, page)).map(({ hostname, status }) => `${hostname} ${status}`),
    certificates: certificates.all.size,
  };
}

async function rejected(promise: Promise<unknown>): Promise<Fault> {
  const error: unknown = await promise.then(
    () => undefined,
    (reason) => reason,
  );
  assert.ok(error instanceof Fault, String(error));
  return error;
}

const world = (t: TestContext) => createIngressWorld(t, { proxy: true });

test('nothing happens before approval; then every step does, once', async (t) => {
  const w = await world(t);
  const { missions, runner, wakes } = createWorldMissions(w);
  const proposed = await missions.propose(KIND, exposeInput(w), by('ann'));
  assert.equal(proposed.status, 'proposed');
  await runner.reconcile(never);
  assert.deepEqual(await things(w), { vips: [], mappings: [], exposures: [], certificates: 0 });
  const approved = await missions.approve(proposed.id, by('bob'));
  assert.equal(approved.status, 'approved');
  assert.equal(wakes(), 1);
  await drive(w.clock, runner.reconcile(never));
  const done = (await missions.get(proposed.id))!;
  assert.equal(done.status, 'succeeded');
  const { exposure_id, virtual_ip_id, port_mapping_id, ...result } = done.result!;
  assert.deepEqual(result, {
    status: 'exposed',
    certificate_id: 'crt_metrics.example.com|letsencrypt-staging',
    public_endpoints: ['https://metrics.example.com/'],
    steps_completed: ['virtual_ip', 'port_mapping', 'certificate', 'proxy', 'probe'],
    looks: [
      { address: '8.8.4.4', port: 443, seen: 'CN=metrics.example.com from CN=fake; answer 200' },
      { address: '2600::1', port: 443, seen: 'CN=metrics.example.com from CN=fake; answer 200' },
    ],
  });
  for (const id of [exposure_id, virtual_ip_id, port_mapping_id]) assert.match(String(id), /^(exp|vip|map)_/);
  assert.deepEqual(await things(w), {
    vips: ['expose-metrics.example.com'],
    mappings: ['443>8443'],
    exposures: ['metrics.example.com exposed'],
    certificates: 1,
  });
});

test('a crash at every boundary: the next run makes one of each thing', async (t) => {
  const steps = ['virtual_ip', 'port_mapping', 'certificate', 'proxy', 'probe'];
  const boundaries = [...steps.flatMap((step) => [`before:${step}`, `between:${step}`, `after:${step}`]), 'before:end'];
  for (const boundary of boundaries) {
    const w = await world(t);
    let crashes = 0;
    const { missions, runner } = createWorldMissions(w, {
      checkpoint: async (where) => {
        if (where === boundary && crashes++ === 0) throw new EndOfTheWorld();
      },
    });
    const { id } = await missions.propose(KIND, exposeInput(w), by('ann'));
    await missions.approve(id, by('bob'));
    await assert.rejects(drive(w.clock, runner.reconcile(never)), EndOfTheWorld, boundary);
    assert.equal((await missions.get(id))?.status, 'running', boundary);
    const { runner: next } = createWorldMissions(w);
    await next.reconcile(never);
    assert.equal((await missions.get(id))?.status, 'running', 'the lease of the dead runner is respected');
    await w.clock.advance(61_000);
    await drive(w.clock, next.reconcile(never));
    assert.equal((await missions.get(id))?.status, 'succeeded', boundary);
    assert.deepEqual(
      await things(w),
      {
        vips: ['expose-metrics.example.com'],
        mappings: ['443>8443'],
        exposures: ['metrics.example.com exposed'],
        certificates: 1,
      },
      boundary,
    );
  }
});

/** A store whose process ends at its nth write: before it, or after it was committed and before anybody heard of it. */
function endingStore(store: Store, at: number, when: 'before' | 'after'): { store: Store; ended: () => boolean } {
  let writes = 0;
  let over = false;
  const ending: Store = Object.create(store, {
    write: {
      value: async (work: Parameters<Store['write']>[0]) => {
        // What is dead writes nothing more.
        if (over) throw new EndOfTheWorld();
        const last = ++writes === at;
        if (last && when === 'before') {
          over = true;
          throw new EndOfTheWorld();
        }
        const value = await store.write(work);
        if (!last) return value;
        over = true;
        throw new EndOfTheWorld();
      },
    },
  });
  return { store: ending, ended: () => over };
}

test('a crash at any write, before it or after it was committed: one of each thing, and nothing after taking down', async (t) => {
  const kinds: [kind: string, input: (w: IngressWorld) => Record<string, unknown>, after: object][] = [
    [
      KIND,
      (w) => exposeInput(w),
      {
        vips: ['expose-metrics.example.com'],
        mappings: ['443>8443'],
        exposures: ['metrics.example.com exposed'],
        certificates: 1,
      },
    ],
    [
      'unexpose_service',
      () => ({ service_hostname: 'metrics.example.com' }),
      { vips: [], mappings: [], exposures: [], certificates: 1 },
    ],
  ];
  for (const [kind, input, wanted] of kinds)
    for (const when of ['before', 'after'] as const)
      for (let at = 1, more = true; more; at++) {
        const w = await world(t);
        if (kind !== KIND) await exposed(w);
        const { missions } = createWorldMissions(w);
        const { id } = await missions.propose(kind, input(w), by('ann'));
        await missions.approve(id, by('bob'));
        const dying = endingStore(w.store, at, when);
        const dead = createWorldMissions({ ...w, store: dying.store, deps: { ...w.deps, store: dying.store } });
        await drive(w.clock, dead.runner.reconcile(never)).catch((error) => assert.ok(error instanceof EndOfTheWorld));
        more = dying.ended();
        const what = `${kind}, ${when} write ${at}`;
        await w.clock.advance(61_000);
        await drive(w.clock, createWorldMissions(w).runner.reconcile(never));
        assert.equal((await missions.get(id))?.status, 'succeeded', what);
        assert.deepEqual(await things(w), wanted, what);
        assert.equal(w.certificates.references.size, kind === KIND ? 1 : 0, what);
        if (!more) assert.ok(at > 12, `${what}: the run has only ${at - 1} writes`);
      }
});

test('two people press Approve at once, and two runners look at once: one run', async (t) => {
  const w = await world(t);
  let begun = 0;
  const checkpoint = async (where: string) => {
    if (where === 'before:virtual_ip') begun++;
  };
  const { missions, runner } = createWorldMissions(w, { checkpoint });
  const { runner: other } = createWorldMissions(w, { checkpoint });
  const { id } = await missions.propose(KIND, exposeInput(w), by('ann'));
  await Promise.all([missions.approve(id, by('bob')), missions.approve(id, by('cid'))]);
  await drive(w.clock, Promise.all([runner.reconcile(never), other.reconcile(never)]));
  assert.equal((await missions.get(id))?.status, 'succeeded');
  assert.equal(begun, 1);
  assert.equal((await missions.approve(id, by('dan'))).status, 'succeeded', 'a late press changes nothing');
});

test('a plan that changed is refused and shown again', async (t) => {
  const w = await world(t);
  const { missions } = createWorldMissions(w);
  const first = await missions.propose(KIND, exposeInput(w), by('ann'));
  await exposed(w, { service_hostname: 'logs.example.com', vip_cidr: 'fd42::11/128' });
  const fault = await rejected(missions.approve(first.id, by('bob')));
  assert.equal(fault.code, 'plan_changed');
  assert.match(fault.details.detail, /port_mapping was "create: .*" and is now "reuse: .*goes to the proxy on proxy-1/);
  const again = (await missions.get(first.id))!;
  assert.deepEqual([again.status, again.plan[1]!.action], ['proposed', 'reuse']);
  assert.equal((await missions.approve(first.id, by('bob'))).status, 'approved');
});

test('a plan that is no longer possible cannot be approved', async (t) => {
  const w = await world(t);
  const { missions } = createWorldMissions(w);
  const { id } = await missions.propose(KIND, exposeInput(w), by('ann'));
  await createPeers(w.deps).remove(w.ids.backend);
  const fault = await rejected(missions.approve(id, by('bob')));
  assert.equal(fault.details.status, 409);
  assert.match(fault.details.detail, /it cannot be done as things are now: .*has no peer/);
});

test('rejected and expired proposals never run', async (t) => {
  const w = await world(t);
  const { missions, runner } = createWorldMissions(w);
  const one = await missions.propose(KIND, exposeInput(w), by('ann'));
  assert.equal((await missions.reject(one.id, by('bob'), 'not today')).status, 'rejected');
  assert.equal((await rejected(missions.approve(one.id, by('bob')))).code, 'mission_over');
  const two = await missions.propose(KIND, exposeInput(w), by('ann'));
  await w.clock.advance(25 * 3_600_000);
  assert.equal((await missions.get(two.id))?.status, 'expired');
  assert.equal((await rejected(missions.approve(two.id, by('bob')))).code, 'mission_over');
  await runner.reconcile(never);
  assert.equal((await missions.events(two.id, 0, 10)).at(-1)?.state, 'expired');
  assert.deepEqual((await things(w)).vips, []);
});

test('two approvals are of two people, one of whom did not ask', async (t) => {
  const w = await world(t);
  const policy = { approvals: 2, askerMayApprove: true, expiresAfter: 3_600_000 } as const;
  const { missions } = createWorldMissions(w, { policy });
  const { id } = await missions.propose(KIND, exposeInput(w), by('ann'));
  assert.equal((await missions.approve(id, by('ann'))).status, 'proposed');
  assert.equal((await missions.approve(id, by('ann'))).status, 'proposed');
  assert.equal((await missions.approve(id, by('bob'))).status, 'approved');
  const strict = createWorldMissions(w, { policy: { ...policy, approvals: 1, askerMayApprove: false } }).missions;
  const own = await strict.propose(KIND, exposeInput(w), by('ann'));
  assert.equal((await rejected(strict.approve(own.id, by('ann')))).code, 'own_mission');
  assert.equal((await strict.approve(own.id, by('bob'))).status, 'approved');
});

test('a stuck certificate fails the whole, in its own words; the next run goes on from there', async (t) => {
  const w = await world(t);
  w.certificates.fail({
    code: 'urn:ietf:params:acme:error:rateLimited',
    detail: 'too many certificates (50) for example.com in the last 168 hours',
    party: 'ca',
    advice: 'switch to letsencrypt-staging or wait',
  });
  const failed = await exposed(w);
  assert.equal(failed.status, 'failed');
  assert.deepEqual(failed.stepsCompleted, ['virtual_ip', 'port_mapping']);
  assert.match(failed.summary, /step certificate failed: too many certificates \(50\)/);
  assert.match(
    failed.lastProblem?.advice ?? '',
    /^wait until \S+Z, or propose the same with another issuer: letsencrypt-staging, for trying$/,
  );
  assert.deepEqual((await things(w)).exposures, ['metrics.example.com incomplete']);
  w.certificates.fail(undefined);
  const again = await exposed(w);
  assert.equal(again.status, 'succeeded');
  assert.deepEqual(
    again.plan.slice(0, 2).map(({ action }) => action),
    ['reuse', 'reuse'],
  );
  assert.deepEqual((await things(w)).vips.length, 1);
});

test('another certificate than the issued one is a failure that says what to do', async (t) => {
  const w = await world(t);
  w.probe = {
    connected: true,
    fingerprint: 'x',
    subject: 'CN=TRAEFIK DEFAULT CERT',
    issuer: 'CN=TRAEFIK DEFAULT CERT',
    names: [],
  };
  const failed = await exposed(w);
  assert.equal(failed.lastProblem?.code, 'default_certificate_served');
  assert.match(failed.lastProblem?.detail ?? '', /serves CN=TRAEFIK DEFAULT CERT/);
  assert.match(failed.lastProblem?.advice ?? '', /system_reverse_proxy_compose/);
});

test('a 403 from the service is told as an allowlist', async (t) => {
  const w = await world(t);
  const { id } = { id: 'crt_metrics.example.com|letsencrypt-staging' };
  w.probe = { connected: true, fingerprint: `fp-${id}`, names: ['metrics.example.com'], status: 403 };
  const done = await exposed(w);
  assert.equal(done.status, 'succeeded');
  assert.match(done.warnings.join('\n'), /answers 403 .* while its certificate is good: .* allowed hosts/);
  w.probe = { ...w.probe, unpublished: true };
  const early = await exposed(w);
  assert.match(early.warnings.join('\n'), /answers 403 .* the edge there has no site of that name: gatehouse routes/);
});

test('two services behind one hub, and the first leaves without the second noticing', async (t) => {
  const w = await world(t);
  await exposed(w);
  const second = await exposed(w, {
    service_hostname: 'logs.example.com',
    vip_cidr: 'fd42::11/128',
    backend_port: 9000,
  });
  assert.equal(second.plan[1]!.action, 'reuse');
  assert.deepEqual((await things(w)).mappings, ['443>8443']);
  const { missions, runner } = createWorldMissions(w);
  const down = await missions.propose('unexpose_service', { service_hostname: 'metrics.example.com' }, by('ann'));
  assert.deepEqual(
    down.plan.map(({ step }) => step),
    ['proxy', 'certificate', 'port_mapping', 'virtual_ip'],
  );
  assert.match(down.plan[2]!.detail, /443\/tcp stays for https:\/\/logs\.example\.com/);
  await missions.approve(down.id, by('bob'));
  await drive(w.clock, runner.reconcile(never));
  assert.equal((await missions.get(down.id))?.status, 'succeeded');
  assert.deepEqual((await things(w)).vips, ['expose-logs.example.com']);
  const last = await missions.propose('unexpose_service', { service_hostname: 'logs.example.com' }, by('ann'));
  await missions.approve(last.id, by('bob'));
  await drive(w.clock, runner.reconcile(never));
  assert.deepEqual(await things(w), { vips: [], mappings: [], exposures: [], certificates: 2 });
  assert.equal(w.certificates.references.size, 0);
  assert.equal(
    (await rejected(missions.propose('unexpose_service', { service_hostname: 'logs.example.com' }, by('ann')))).code,
    'not_exposed',
  );
});

test('a service that ends TLS itself has the port alone, until another joins', async (t) => {
  const w = await world(t);
  const alone = await exposed(w, { termination: 'backend', vip_cidr: 'fd42::10/128 10.42.0.10/32' });
  assert.deepEqual(alone.stepsCompleted, ['virtual_ip', 'port_mapping', 'proxy', 'probe']);
  assert.equal((await things(w)).certificates, 0, 'the service has its own');
  assert.match(alone.plan[1]!.detail, /forward 443\/tcp on edge-1 to the service's virtual IP, port 8080/);
  const joined = await exposed(w, { service_hostname: 'logs.example.com', vip_cidr: 'fd42::11/128' });
  assert.equal(joined.plan[1]!.action, 'change');
  assert.match(joined.plan[1]!.detail, /metrics\.example\.com goes on through it, with its own TLS passed through/);
  assert.deepEqual((await things(w)).mappings, ['443>8443']);
});

test('a certificate of several names is used again and kept; one of another issuer is let go', async (t) => {
  const w = await world(t);
  const { port, references } = w.certificates;
  const [san, issuers] = [['metrics.example.com', 'more.example.com'], ['letsencrypt-staging']];
  const shared = await port.ensure({ names: san, issuers, reference: 'person:1' });
  const staged = await exposed(w);
  assert.equal(staged.result?.certificate_id, shared);
  assert.equal((await things(w)).certificates, 1, 'none was got beside it');
  const production = await exposed(w, { tls_issuer: 'letsencrypt-prod' });
  assert.notEqual(production.result?.certificate_id, shared);
  const needs = [...references].filter(([reference]) => reference.startsWith('exposure:')).map(([, id]) => id);
  assert.deepEqual(needs, [production.result?.certificate_id]);
  const own = await exposed(w, { termination: 'backend' });
  assert.equal(own.status, 'succeeded', own.summary);
  assert.deepEqual(
    [...references.keys()].filter((reference) => reference.startsWith('exposure:')),
    [],
    'a service that ends TLS itself needs none',
  );
});

test('a mission that takes long keeps no other waiting, and an end in order gives it back at once', async (t) => {
  const w = await world(t);
  w.certificates.hold();
  const { missions, runner } = createWorldMissions(w, { wakes: () => runner.wake() });
  const ended = new AbortController();
  const stopped = runner.start(ended.signal);
  const propose = async (change: Record<string, unknown>) => {
    const { id } = await missions.propose(KIND, exposeInput(w, change), by('ann'));
    await missions.approve(id, by('bob'));
    return id;
  };
  const slow = await propose({});
  const quick = await propose({
    service_hostname: 'b.example.com',
    service_protocol: 'http',
    vip_cidr: 'fd42::11/128',
  });
  const until = async (id: string, status: string) => {
    for (let i = 0; (await missions.get(id))?.status !== status; i++) {
      assert.ok(i < 200, `${status} did not come about`);
      await w.clock.advance(250);
    }
  };
  await until(quick, 'succeeded');
  assert.equal((await missions.get(slow))?.status, 'running');
  ended.abort(new Error('stopping'));
  await drive(w.clock, stopped);
  assert.equal((await missions.get(slow))?.status, 'running');
  w.certificates.release();
  await drive(w.clock, createWorldMissions(w).runner.reconcile(never));
  assert.equal((await missions.get(slow))?.status, 'succeeded', 'the next runner need not wait');
});

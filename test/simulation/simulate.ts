import { silentLogger } from '../../src/base/index.ts';
import { type CertificateEngine, createCertificateEngine } from '../../src/certificates/index.ts';
import { LETS_ENCRYPT_LIMITS, type Limit } from '../../src/certificates/quota.ts';
import type { SecretStore } from '../../src/secrets/index.ts';
import { openMemoryStore, openUnsyncedStore, type Store } from '../../src/store/index.ts';
import { generateKey } from '../../src/x509/index.ts';
import { createModelCa, type ModelCa } from './model-ca.ts';
import { createRandom } from './random.ts';
import { createScheduler, type Scheduler } from './scheduler.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export interface SimulationOptions {
  readonly certificates: number;
  readonly days: number;
  readonly seed: number;
  /** Where the store is kept (default: in memory). */
  readonly file?: string;
  progress?(line: string): void;
}

export interface SimulationReport {
  readonly seed: number;
  readonly certificates: number;
  readonly days: number;
  readonly issued: number;
  /** Certificates that ended with no successor although a CA of theirs could be reached for an hour of their last third. */
  readonly lapsed: number;
  /** All that ended with no successor, outages that cover the last third included. */
  readonly lapsedInAll: number;
  /** Refusals by a CA's limits. */
  readonly limitsBroken: number;
  readonly ordersWasted: number;
  readonly orders: number;
  readonly failedValidations: number;
  readonly kills: number;
  readonly clockJumps: number;
  readonly outageHours: number;
  readonly largestHour: number;
  readonly evenRate: number;
  readonly cpuSeconds: number;
  readonly cpuMsPerCertificateYear: number;
  readonly served: number;
  /** Of everything that happened and when. */
  readonly digest: string;
}

/** Lifetimes in days and their share. */
const LIFETIMES: readonly [days: number, share: number][] = [
  [6, 0.01],
  [45, 0.15],
  [64, 0.15],
  [90, 0.6],
  [200, 0.09],
];

export async function simulate(options: SimulationOptions): Promise<SimulationReport> {
  const start = Date.UTC(2026, 0, 1);
  const end = start + options.days * DAY;
  const random = createRandom(options.seed);
  const scheduler = createScheduler(start);
  const store = await (options.file === undefined ? openMemoryStore() : openUnsyncedStore(options.file));
  const cpu = process.cpuUsage();
  const lapses = { reachable: 0, all: 0 };
  const perHour = new Map<number, number>();
  const cas: ModelCa[] = [];
  const checkLapse = (names: string, before: { notBefore: number; notAfter: number } | undefined, now: number) => {
    if (before === undefined || before.notAfter >= now) return;
    lapses.all++;
    const from = before.notAfter - (before.notAfter - before.notBefore) / 3;
    const reached = Math.max(...casOf(cas, names).map((ca) => reachableMs(ca, from, before.notAfter)));
    if (reached < HOUR) return;
    lapses.reachable++;
    options.progress?.(
      `lapsed: ${names} at ${new Date(before.notAfter).toISOString()}, CA reachable ${Math.round(reached / MINUTE)} min of the last third`,
    );
  };
  const onIssued: Parameters<typeof createModelCa>[0]['onIssued'] = (names, before, now) => {
    const hour = Math.floor(now / HOUR);
    perHour.set(hour, (perHour.get(hour) ?? 0) + 1);
    // With two issuers the newest of either counts.
    const others = cas.flatMap((ca) => ca.newest.get(names) ?? []);
    checkLapse(
      names,
      others.reduce((a, b) => (a !== undefined && a.notAfter > b.notAfter ? a : b), before),
      now,
    );
  };
  const limits = limitsFor(options.certificates);
  for (const id of ['ca-one', 'ca-two'])
    cas.push(
      createModelCa({
        id,
        scheduler,
        random,
        limits,
        outages: outagesOf(random, start, end),
        offersInfo: (names) => names[0]!.includes('.info.'),
        onIssued,
      }),
    );
  await addIssuers(store, limits, start);

  const world = createWorld(options, { scheduler, store, random, cas, end });
  await world.start();
  let shown = start;
  await scheduler.run(end, (now) => {
    if (now - shown < 30 * DAY) return;
    shown = now;
    const issued = cas.reduce((sum, ca) => sum + ca.counts.certificates, 0);
    const seconds = process.cpuUsage(cpu);
    options.progress?.(
      `day ${Math.round((now - start) / DAY)}: ${issued} issued, ${Math.round((seconds.user + seconds.system) / 1e6)} s of processor time`,
    );
  });
  const used = process.cpuUsage(cpu);
  await world.stop();
  // What is on the way at the end is settled by its own clock; what ended before the end and has no successor lapsed.
  const last = new Map<string, { notBefore: number; notAfter: number }>();
  for (const ca of cas)
    for (const [names, one] of ca.newest) if ((last.get(names)?.notAfter ?? 0) < one.notAfter) last.set(names, one);
  for (const [names, one] of last) checkLapse(names, one, end);
  const served = Number(
    (
      await store.db
        .selectFrom('certificate')
        .innerJoin('certificate_version', 'certificate_version.id', 'certificate.served_version_id')
        .select((e) => e.fn.countAll<number>().as('count'))
        .where('not_after', '>', end)
        .executeTakeFirstOrThrow()
    ).count,
  );
  await store.close();
  const sum = (pick: (ca: ModelCa) => number) => cas.reduce((total, ca) => total + pick(ca), 0);
  const cpuSeconds = (used.user + used.system) / 1e6;
  const issued = sum((ca) => ca.counts.certificates);
  // The first month is the wave of first orders, which comes as people make it.
  const steady = [...perHour].filter(([hour]) => hour * HOUR > start + 30 * DAY).map(([, count]) => count);
  return {
    seed: options.seed,
    certificates: options.certificates,
    days: options.days,
    issued,
    lapsed: lapses.reachable,
    lapsedInAll: lapses.all,
    limitsBroken: sum((ca) => ca.counts.refusedByLimit),
    orders: sum((ca) => ca.counts.orders),
    ordersWasted: sum((ca) => ca.wasted()),
    failedValidations: sum((ca) => ca.counts.failedValidations),
    kills: world.kills(),
    clockJumps: world.jumps(),
    outageHours: Math.round(sum((ca) => ca.outages.reduce((total, { from, to }) => total + to - from, 0)) / HOUR),
    largestHour: Math.max(0, ...steady),
    evenRate: steady.length === 0 ? 0 : steady.reduce((a, b) => a + b, 0) / ((end - start - 30 * DAY) / HOUR),
    cpuSeconds,
    cpuMsPerCertificateYear: (cpuSeconds * 1000) / (options.certificates * (options.days / 365)),
    served,
    digest: scheduler.digest(),
  };
}

/** Let's Encrypt's, with an account's orders raised to what so many certificates need, as it does on request. */
function limitsFor(certificates: number): Limit[] {
  return LETS_ENCRYPT_LIMITS.map((limit) =>
    limit.id === 'orders' ? { ...limit, most: Math.max(limit.most, Math.round(certificates / 20)) } : limit,
  );
}

const casOf = (cas: readonly ModelCa[], names: string) => (names.includes('.two.') ? cas : cas.slice(0, 1));

function reachableMs(ca: ModelCa, from: number, to: number): number {
  const down = ca.outages.reduce((sum, one) => sum + Math.max(0, Math.min(one.to, to) - Math.max(one.from, from)), 0);
  return to - from - down;
}

/** Some of half an hour, some of a day, and a few of up to four days. */
function outagesOf(random: () => number, start: number, end: number): { from: number; to: number }[] {
  const found: { from: number; to: number }[] = [];
  for (let at = start + random() * 30 * DAY; at < end; at += (10 + random() * 40) * DAY) {
    const draw = random();
    const length = draw < 0.6 ? HOUR / 2 + random() * 2 * HOUR : draw < 0.9 ? random() * DAY : DAY + random() * 3 * DAY;
    found.push({ from: at, to: at + length });
  }
  return found;
}

async function addIssuers(store: Store, limits: readonly Limit[], now: number): Promise<void> {
  for (const id of ['ca-one', 'ca-two'])
    await store.write((tx) =>
      tx
        .insertInto('issuer')
        .values({
          id,
          directory: `https://${id}.example/directory`,
          ca_pem: null,
          contact: '[]',
          eab_kid: null,
          preferred_chain: null,
          profile: null,
          staging: 0,
          built_in: 0,
          limits: JSON.stringify(limits),
          hold_until: null,
          hold_problem: null,
          created_at: now,
          updated_at: now,
        })
        .execute(),
    );
}

interface Surroundings {
  readonly scheduler: Scheduler;
  readonly store: Store;
  readonly random: () => number;
  readonly cas: readonly ModelCa[];
  readonly end: number;
}

/** The real engine in a process that is killed and started again, under a clock that jumps. */
function createWorld(options: SimulationOptions, around: Surroundings) {
  const { scheduler, store, random, cas, end } = around;
  const start = scheduler.now();
  let skew = 0;
  let kills = 0;
  let jumps = 0;
  let alive:
    | { readonly incarnation: { dead: boolean }; readonly engine: CertificateEngine; readonly ended: AbortController }
    | undefined;
  const secrets = new Map<string, Uint8Array>();
  const secretStore: SecretStore = {
    put: async (path, value) => void secrets.set(path, value),
    get: async (path) => secrets.get(path),
    delete: async (path) => void secrets.delete(path),
  };

  async function boot(): Promise<void> {
    const incarnation = { dead: false };
    const key = await scheduler.hold(generateKey('ec-p256'));
    const mortal: Store = {
      ...store,
      write: (work) => (incarnation.dead ? Promise.reject(new Error('killed')) : scheduler.hold(store.write(work))),
    };
    const engine = createCertificateEngine(
      {
        store: mortal,
        secrets: secretStore,
        clock: scheduler.clock(() => skew),
        log: silentLogger,
        random,
        newKey: async () => key,
        acme: {
          connect: ({ directory }) => cas.find(({ id }) => directory.includes(id))!.client(),
          obtain: (request) => cas.find((ca) => ca.client() === request.client)!.obtain(request, incarnation),
        },
        solvers: { edge: [] },
      },
      {
        issuers: ['ca-one'],
        pollMs: 10 * MINUTE,
        eventsKept: 12,
        expiredKeptMs: DAY,
        concurrency: { total: 400, issuer: 200, zone: 4 },
        holder: `process ${kills}`,
      },
    );
    const ended = new AbortController();
    void engine.run(ended.signal);
    alive = { incarnation, engine, ended };
  }

  function kill(): void {
    if (alive === undefined) return;
    kills++;
    // Nothing of it reaches the store any more, and nothing was given back.
    alive.incarnation.dead = true;
    alive.ended.abort(new Error('killed'));
    alive = undefined;
  }

  /** A child process of the model: wishes come in while the process is up. */
  function wishLater(index: number, at: number): void {
    scheduler.at(at, () => {
      if (alive === undefined) return wishLater(index, scheduler.now() + HOUR);
      const lifetime = pick(random);
      void scheduler
        .hold(alive.engine.certificates.ensure(wishOf(index, lifetime)))
        .catch(() => wishLater(index, scheduler.now() + MINUTE));
    });
  }

  function plan(): void {
    for (let i = 0; i < options.certificates; i++)
      // Nine of ten within the first hour; the others over the first half of the time.
      wishLater(i, start + (random() < 0.9 ? random() * HOUR : random() * ((end - start) / 2)));
    for (let at = start + DAY; at < end; at += (1 + random() * 10) * DAY)
      scheduler.at(at, () => {
        kill();
        scheduler.at(scheduler.now() + 10_000 + random() * 20 * MINUTE, () => void boot());
      });
    for (let at = start + 20 * DAY; at < end; at += (10 + random() * 60) * DAY)
      scheduler.at(at, () => {
        jumps++;
        skew = (random() - 0.4) * 3 * HOUR;
        scheduler.at(scheduler.now() + random() * 6 * HOUR, () => {
          skew = 0;
        });
      });
    // The log of changes is for followers, and there are none here.
    for (let at = start; at < end; at += DAY)
      scheduler.at(at, () => void scheduler.hold(store.write((tx) => tx.deleteFrom('change_log').execute())));
  }

  return {
    async start() {
      plan();
      await boot();
    },
    async stop() {
      kill();
      await new Promise((resolve) => setImmediate(resolve));
    },
    kills: () => kills,
    jumps: () => jumps,
  };
}

function pick(random: () => number): number {
  let draw = random();
  for (const [days, share] of LIFETIMES) {
    if (draw < share) return days;
    draw -= share;
  }
  return 90;
}

/** One in five under a domain that it shares with 39 others; one in six with a second issuer; one in a hundred with ARI. */
function wishOf(index: number, lifetime: number) {
  const kind = index % 100 === 7 ? 'info' : index % 6 === 0 ? 'two' : 'one';
  const domain =
    index % 5 === 0 ? `t${index}.${kind}.shared${Math.floor(index / 200)}.test` : `www.${kind}.d${index}.test`;
  return {
    names: [domain],
    issuers: kind === 'two' ? ['ca-one', 'ca-two'] : ['ca-one'],
    profile: `d${lifetime}`,
    reference: `domain:${index}`,
  };
}

import { problemUrn } from '../../src/acme/index.ts';
import type { AcmeClient, Obtained, ObtainRequest, RenewalInfo } from '../../src/acme-client/index.ts';
import { Fault } from '../../src/base/index.ts';
import { isExempt, type Limit, limitKeys, type OrderNature, useLimit } from '../../src/certificates/quota.ts';
import type { ChainFacts } from '../../src/x509/index.ts';
import type { Scheduler } from './scheduler.ts';

const SECOND = 1000;
const HOUR = 3600 * SECOND;
const DAY = 24 * HOUR;

/** A CA as it behaves, without its cryptography: limits, outages, slow validation, orders that outlive their client. */
export interface ModelCa {
  readonly id: string;
  readonly outages: readonly { readonly from: number; readonly to: number }[];
  readonly counts: {
    orders: number;
    certificates: number;
    refusedByLimit: number;
    failedValidations: number;
    asked: number;
  };
  /** End of the newest certificate for a set of names, by the true clock. */
  readonly newest: Map<string, { notBefore: number; notAfter: number; serial: string }>;
  client(): AcmeClient;
  obtain(request: ObtainRequest, caller: { readonly dead: boolean }): Promise<Obtained>;
  /** Orders that were made and led to nothing, though nothing was wrong with them. */
  wasted(): number;
}

export interface ModelCaOptions {
  readonly id: string;
  readonly scheduler: Scheduler;
  readonly random: () => number;
  readonly limits: readonly Limit[];
  readonly outages: readonly { readonly from: number; readonly to: number }[];
  /** Which names are asked about renewal. */
  readonly offersInfo: (names: readonly string[]) => boolean;
  onIssued(names: string, before: { notBefore: number; notAfter: number } | undefined, now: number): void;
}

interface ModelOrder {
  readonly names: string;
  state: 'pending' | 'valid' | 'invalid';
  chain?: ChainFacts;
}

export function createModelCa(options: ModelCaOptions): ModelCa {
  const { id, scheduler, random, limits, outages } = options;
  const orders = new Map<string, ModelOrder>();
  const used = new Map<string, number>();
  const newest: ModelCa['newest'] = new Map();
  const asking = new Map<string, { notBefore: number; notAfter: number }>();
  const windows = new Map<string, { start: number; end: number }>();
  const counts = { orders: 0, certificates: 0, refusedByLimit: 0, failedValidations: 0, asked: 0 };
  let serial = 0;

  const isDown = (now: number) => outages.some(({ from, to }) => now >= from && now < to);
  const clock = scheduler.clock();
  const pause = (ms: number, signal?: AbortSignal) => clock.sleep(ms, signal);

  async function reach(signal?: AbortSignal): Promise<void> {
    if (!isDown(scheduler.now())) return;
    await pause(10 * SECOND, signal);
    throw new Fault({ code: 'ca_unreachable', detail: `${id} cannot be reached`, party: 'network', retry: 'backoff' });
  }

  /** Takes from the CA's own count; a refusal here is a limit that the ledger should have seen. */
  function take(counted: Limit['counts'], names: readonly string[], nature: OrderNature): void {
    for (const limit of limits.filter((one) => one.counts === counted && !isExempt(one, nature)))
      for (const key of limitKeys(limit, names)) {
        const bucket = `${limit.id} ${key}`;
        const use = useLimit(limit, used.get(bucket) ?? 0, scheduler.now());
        if ('fullAt' in use) {
          used.set(bucket, use.fullAt);
          continue;
        }
        counts.refusedByLimit++;
        throw new Fault({
          code: problemUrn('rateLimited'),
          detail: `too many ${limit.words}: ${key}`,
          party: 'ca',
          retry: { notBefore: use.waitUntil },
        });
      }
  }

  const natureOf = (names: string, replaces: string | undefined): OrderNature =>
    replaces !== undefined ? 'replacement' : newest.has(names) ? 'renewal' : 'new';

  async function validate(request: ObtainRequest): Promise<void> {
    const { names, signal } = request;
    // Mostly seconds; one in a hundred takes minutes.
    await pause(random() < 0.01 ? random() * 300 * SECOND : (2 + random() * 15) * SECOND, signal);
    await reach(signal);
    if (random() >= 0.003) return;
    counts.failedValidations++;
    const [name] = names;
    take('failure', [name!], 'new');
    throw new Fault({
      code: problemUrn('connection'),
      detail: `${name}: timeout during connect`,
      party: 'network',
      retry: 'backoff',
      field: `dns:${name}`,
    });
  }

  function issue(request: ObtainRequest, key: string, nature: OrderNature): ChainFacts {
    take('certificate', request.names, nature);
    const now = scheduler.now();
    const lifetime = Number(request.profile?.slice(1)) * DAY;
    const number = Buffer.alloc(8);
    number.writeBigUInt64BE(BigInt(++serial));
    const validity = { notBefore: now - HOUR, notAfter: now - HOUR + lifetime };
    options.onIssued(key, newest.get(key), now);
    newest.set(key, { ...validity, serial: number.toString('hex') });
    if (options.offersInfo(request.names)) asking.set(number.toString('hex'), validity);
    counts.certificates++;
    // Only these members of the leaf are read by the engine.
    const leaf = {
      serial: number,
      ...(options.offersInfo(request.names) && { authorityKeyIdentifier: Buffer.from(id) }),
    } as unknown as ChainFacts['leaf'];
    const hex = number.toString('hex');
    return {
      leaf,
      pem: hex,
      names: request.names,
      serial: hex,
      fingerprint: hex,
      keyDigest: hex,
      issuerName: id,
      topIssuerName: id,
      ...validity,
    };
  }

  async function obtain(request: ObtainRequest, caller: { readonly dead: boolean }): Promise<Obtained> {
    const { names, signal, onStep = () => {} } = request;
    const key = names.join(',');
    await pause(0.3 * SECOND, signal);
    await reach(signal);
    const nature = natureOf(key, request.replaces);
    let url = request.resume;
    let order = url === undefined ? undefined : orders.get(url);
    if (order === undefined || order.state === 'invalid') {
      await request.beforeOrder?.(request.replaces !== undefined);
      take('order', names, nature);
      counts.orders++;
      url = `${id}/order/${counts.orders}`;
      order = { names: key, state: 'pending' };
      orders.set(url, order);
    }
    await onStep({ kind: 'order', url: url!, words: `ordered ${key}` });
    if (order.chain === undefined) {
      try {
        await validate(request);
      } catch (error) {
        if (error instanceof Fault && error.details.field !== undefined) order.state = 'invalid';
        throw error;
      }
      await onStep({ kind: 'finalize', words: 'every name is authorized' });
      if (caller.dead) throw new Error('killed');
      order.chain = issue(request, key, nature);
      order.state = 'valid';
      // The answer may be lost on its way although the certificate was made.
      await pause((0.5 + random() * 3) * SECOND, signal);
      await reach(signal);
    }
    // Nobody asks for it again, and millions of them would be all of the memory.
    orders.delete(url!);
    return { chain: order.chain, orderUrl: url!, replaced: request.replaces !== undefined };
  }

  async function renewalInfo(certificateId: string, signal?: AbortSignal): Promise<RenewalInfo | undefined> {
    counts.asked++;
    await reach(signal);
    const now = scheduler.now();
    const known = windows.get(certificateId);
    const hex = Buffer.from(certificateId.split('.')[1]!, 'base64url').toString('hex');
    const issued = known === undefined ? asking.get(hex) : undefined;
    const lifetime = issued === undefined ? 0 : issued.notAfter - issued.notBefore;
    let window = known ?? {
      start: (issued?.notBefore ?? now) + lifetime * 0.62,
      end: (issued?.notBefore ?? now) + lifetime * 0.66,
    };
    // Now and then a CA wants one back early.
    if (random() < 0.0005) window = { start: now - HOUR, end: now - 1 };
    windows.set(certificateId, window);
    return { ...window, askAgainAt: now + DAY };
  }

  const never = async (): Promise<never> => {
    throw new Error('the model has no such conversation');
  };
  const client: AcmeClient = {
    clock,
    async directory() {
      await reach();
      return { newNonce: id, newAccount: id, newOrder: id, revokeCert: id, keyChange: id, renewalInfo: id };
    },
    async register(accountKey) {
      await reach();
      return { url: `${id}/account`, key: accountKey, thumbprint: id };
    },
    renewalInfo,
    updateContact: never,
    changeKey: never,
    deactivate: never,
    newOrder: never,
    getOrder: never,
    getAuthorization: never,
    respond: never,
    finalize: never,
    downloadChains: never,
    revoke: never,
    close: async () => {},
  };
  return {
    id,
    outages,
    counts,
    newest,
    client: () => client,
    obtain,
    wasted: () => [...orders.values()].filter(({ state }) => state === 'pending').length,
  };
}

import type { KeyObject } from 'node:crypto';
import { type ChallengeType, identifierOf, problemTypeOf } from '../acme/index.ts';
import { Fault } from '../base/index.ts';
import { type ChainFacts, checkChain, createCertificationRequest, parseChain } from '../x509/index.ts';
import type { AcmeAccount } from './account.ts';
import { authorize, type FailedAuthorization } from './authorize.ts';
import type { AcmeClient } from './client.ts';
import type { AcmeOrder } from './order.ts';
import { deadline, poll } from './poll.ts';
import { faultOfProblem } from './problem-fault.ts';
import type { ChallengeSolver } from './solver.ts';
import type { OnStep } from './steps.ts';

export interface ObtainRequest {
  readonly client: AcmeClient;
  readonly account: AcmeAccount;
  /** DNS names, wildcards and addresses, checked and in canonical form. */
  readonly names: readonly string[];
  /** Private key of the certificate. Keep it before asking: the chain is of no use without it. Public, with `csr`. */
  readonly key: KeyObject;
  /** A request that somebody else signed, DER, instead of one made with `key`. */
  readonly csr?: Uint8Array;
  /** Ways to show control, in order of preference; the next is tried when the CA refuses one. */
  readonly solvers: readonly ChallengeSolver[];
  readonly profile?: string;
  /** RFC 9773 §5: identifier of the certificate that this one replaces; left out when the CA objects. */
  readonly replaces?: string;
  /** Common name at the top of the chain that is preferred among the CA's alternates. */
  readonly preferredChain?: string;
  /** URL of an order that was begun before, to go on with instead of making another. */
  readonly resume?: string;
  /** Awaited before the CA is asked for an order, a replacement or not; what it throws ends the whole. */
  readonly beforeOrder?: (replaces: boolean) => Promise<void>;
  readonly onStep?: OnStep;
  /** Milliseconds for the whole; ten minutes when absent. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export interface Obtained {
  readonly chain: ChainFacts;
  readonly orderUrl: string;
  /** Whether the CA took the order as a replacement (RFC 9773 §5), which exempts it from some limits. */
  readonly replaced: boolean;
}

/**
 * A certificate, from the order to the chain (RFC 8555 §7.4). Where a challenge type fails, another order tries the
 * next. Throws the `Fault` of what failed, with one of its `problems` for each name when there are several.
 */
export async function obtainCertificate(request: ObtainRequest): Promise<Obtained> {
  const { client, signal: outer, timeoutMs = 600_000 } = request;
  const { signal, stop } = deadline(client.clock, timeoutMs, 'the order', outer);
  const onStep: OnStep = request.onStep ?? (() => {});
  const refused = new Map<string, Set<ChallengeType>>();
  try {
    for (let resume = request.resume; ; resume = undefined) {
      const { order, replaced } = await openOrder(request, resume, onStep, signal);
      const failures = await authorizeAll(request, order, refused, onStep, signal);
      if (failures.length === 0) return { ...(await complete(request, order, onStep, signal)), replaced };
      for (const { key, type } of failures)
        if (type !== undefined) refused.set(key, (refused.get(key) ?? new Set()).add(type));
      const fault = combined(failures);
      if (!failures.every(({ anotherWay }) => anotherWay)) throw fault;
      await onStep({
        kind: 'problem',
        words: `${fault.message}; trying the next challenge type`,
        failed: fault.details,
      });
    }
  } finally {
    stop();
  }
}

async function openOrder(
  { client, account, names, profile, replaces, beforeOrder }: ObtainRequest,
  resume: string | undefined,
  onStep: OnStep,
  signal: AbortSignal,
): Promise<{ order: AcmeOrder; replaced: boolean }> {
  if (resume !== undefined) {
    const order = await resumable(client, account, resume, signal);
    if (order !== undefined) {
      await onStep({ kind: 'order', url: order.url, words: `going on with the order ${order.url} (${order.status})` });
      return { order, replaced: order.replaces !== undefined };
    }
  }
  const wanted = { identifiers: names.map(identifierOf), ...(profile !== undefined && { profile }) };
  const announce = (order: AcmeOrder) =>
    onStep({ kind: 'order', url: order.url, words: `ordered ${names.join(', ')}: ${order.url}` });
  if (replaces !== undefined) {
    await beforeOrder?.(true);
    try {
      const order = await client.newOrder(account, { ...wanted, replaces }, signal);
      await announce(order);
      return { order, replaced: true };
    } catch (error) {
      if (!objectsToReplacing(error)) throw error;
      await onStep({ kind: 'problem', words: `the CA does not take the order as a replacement: ${error.message}` });
    }
  }
  await beforeOrder?.(false);
  const order = await client.newOrder(account, wanted, signal);
  await announce(order);
  return { order, replaced: false };
}

/** RFC 9773 §5 names `alreadyReplaced`; CAs also answer `malformed` or `unauthorized` for one that is not theirs to replace. */
function objectsToReplacing(error: unknown): error is Fault {
  if (!(error instanceof Fault)) return false;
  const type = problemTypeOf(error.code);
  return (
    type === 'alreadyReplaced' || type === 'malformed' || type === 'unauthorized' || error.code === 'ca_answered_404'
  );
}

/** The order if it can still lead to a certificate. */
async function resumable(client: AcmeClient, account: AcmeAccount, url: string, signal: AbortSignal) {
  try {
    const { value } = await client.getOrder(account, url, signal);
    const isOver = value.expires !== undefined && Date.parse(value.expires) <= client.clock.now();
    return value.status === 'invalid' || (isOver && value.status !== 'valid') ? undefined : value;
  } catch (error) {
    if (error instanceof Fault && (error.details.party === 'network' || error.code === 'ca_too_slow')) throw error;
    // The CA no longer knows it.
    return undefined;
  }
}

async function authorizeAll(
  { client, account, solvers }: ObtainRequest,
  order: AcmeOrder,
  refused: ReadonlyMap<string, ReadonlySet<ChallengeType>>,
  onStep: OnStep,
  signal: AbortSignal,
): Promise<FailedAuthorization[]> {
  if (order.status !== 'pending') return [];
  const to = { client, account, solvers, onStep, signal, refused };
  // Settled, not raced: every answer that was presented must have been taken away again before we go on.
  const settled = await Promise.allSettled(order.authorizations.map((url) => authorize(to, url)));
  const broken = settled.find((result) => result.status === 'rejected');
  if (broken !== undefined) throw broken.reason;
  return settled.flatMap((result) => (result.status === 'fulfilled' && result.value) || []);
}

async function complete(
  request: ObtainRequest,
  order: AcmeOrder,
  onStep: OnStep,
  signal: AbortSignal,
): Promise<Omit<Obtained, 'replaced'>> {
  const { client, account, key, names, preferredChain } = request;
  const ask = () => client.getOrder(account, order.url, signal);
  let finalized = order;
  if (order.status === 'pending' || order.status === 'ready') {
    await onStep({ kind: 'finalize', words: 'every name is authorized; asking for the certificate' });
    const csr = request.csr ?? createCertificationRequest(names, key);
    const send = () => client.finalize(account, order, csr, signal);
    const first = await send().catch(async (error: unknown) => {
      // All authorizations are valid, so the order is ready in a moment (RFC 8555 §7.1.6).
      if (!(error instanceof Fault) || problemTypeOf(error.code) !== 'orderNotReady') throw error;
      await poll(client.clock, undefined, ask, ({ status }) => status !== 'pending', signal);
      return send();
    });
    finalized = await poll(
      client.clock,
      first,
      ask,
      ({ status }) => status !== 'processing' && status !== 'ready',
      signal,
    );
  } else if (order.status === 'processing')
    finalized = await poll(client.clock, undefined, ask, ({ status }) => status !== 'processing', signal);
  if (finalized.status !== 'valid' || finalized.certificate === undefined) throw refusedOrder(finalized);
  const alternates = preferredChain !== undefined;
  const chains = (await client.downloadChains(account, finalized.certificate, { alternates, signal })).map((pem) =>
    parseChain(pem),
  );
  const chain = chains.find(({ topIssuerName }) => topIssuerName === preferredChain) ?? chains[0]!;
  checkChain(chain, { names, key });
  await onStep({ kind: 'issued', words: `issued by ${chain.issuerName}, serial ${chain.serial}` });
  return { chain, orderUrl: order.url };
}

function refusedOrder(order: AcmeOrder): Fault {
  if (typeof order.error?.type === 'string') return faultOfProblem(order.error);
  return new Fault({
    code: 'order_invalid',
    detail: `the CA says that the order is ${order.status}, and not why`,
    party: 'ca',
    retry: 'backoff',
  });
}

function combined(failures: readonly FailedAuthorization[]): Fault {
  const [first] = failures;
  if (failures.length === 1) return first!.fault;
  return new Fault({
    ...first!.fault.details,
    detail: `${failures.length} names failed: ${failures
      .map(({ name }) => name)
      .slice(0, 5)
      .join(', ')}${failures.length > 5 ? ', …' : ''}; ${first!.fault.message}`,
    problems: failures.map(({ fault }) => fault.details),
  });
}

import type { AuthorizationObject, ChallengeObject, Identifier, OrderObject } from '../acme/index.ts';
import { type Clock, Fault } from '../base/index.ts';
import { type AcmeAccount, signerOf } from './account.ts';
import { parseJson } from './problem-fault.ts';
import type { Requests } from './request.ts';
import { retryAfter } from './retry-after.ts';
import type { AcmeResponse } from './transport.ts';

/** Something that the CA may still be working on, and when it says to ask again (ms since the epoch). */
export interface Polled<T> {
  readonly value: T;
  readonly retryAt?: number;
}

export interface AcmeOrder extends OrderObject {
  readonly url: string;
}

export interface NewOrder {
  readonly identifiers: readonly Identifier[];
  /** draft-ietf-acme-profiles. */
  readonly profile?: string;
  /** Identifier of the certificate that this order replaces (RFC 9773 §5). */
  readonly replaces?: string;
}

/** RFC 8555 §7.4. */
export async function newOrder(
  requests: Requests,
  account: AcmeAccount,
  order: NewOrder,
  signal?: AbortSignal,
): Promise<AcmeOrder> {
  const { newOrder: url } = await requests.directory(signal);
  const response = await requests.post(signerOf(account), url, order, { signal });
  const { location } = response.headers;
  if (typeof location !== 'string') throw unexpected('the order has no Location');
  return { ...parseOrder(response), url: location };
}

export async function getOrder(
  requests: Requests,
  account: AcmeAccount,
  url: string,
  clock: Clock,
  signal?: AbortSignal,
): Promise<Polled<AcmeOrder>> {
  const response = await requests.post(signerOf(account), url, '', { signal });
  return polled({ ...parseOrder(response), url }, response, clock);
}

export async function getAuthorization(
  requests: Requests,
  account: AcmeAccount,
  url: string,
  clock: Clock,
  signal?: AbortSignal,
): Promise<Polled<AuthorizationObject>> {
  const response = await requests.post(signerOf(account), url, '', { signal });
  return polled(parseAuthorization(response), response, clock);
}

/** Tells the CA that it may look now (RFC 8555 §7.5.1). */
export async function respond(
  requests: Requests,
  account: AcmeAccount,
  challenge: ChallengeObject,
  clock: Clock,
  signal?: AbortSignal,
): Promise<Polled<ChallengeObject>> {
  const response = await requests.post(signerOf(account), challenge.url, {}, { signal });
  return polled({ ...challenge, ...(parseJson(response.body) as Partial<ChallengeObject>) }, response, clock);
}

export async function finalize(
  requests: Requests,
  account: AcmeAccount,
  order: AcmeOrder,
  csr: Uint8Array,
  clock: Clock,
  signal?: AbortSignal,
): Promise<Polled<AcmeOrder>> {
  const payload = { csr: Buffer.from(csr).toString('base64url') };
  const response = await requests.post(signerOf(account), order.finalize, payload, { signal });
  return polled({ ...parseOrder(response), url: order.url }, response, clock);
}

const MOST_ALTERNATES = 5;

/** The chain, and the alternates that the CA links to (RFC 8555 §7.4.2), as PEM. */
export async function downloadChains(
  requests: Requests,
  account: AcmeAccount,
  url: string,
  options: { alternates: boolean; signal?: AbortSignal },
): Promise<[string, ...string[]]> {
  const accept = 'application/pem-certificate-chain';
  const { signal } = options;
  const first = await requests.post(signerOf(account), url, '', { accept, signal });
  const chains: [string, ...string[]] = [first.body.toString('utf8')];
  if (!options.alternates) return chains;
  for (const alternate of alternateLinks(first, url).slice(0, MOST_ALTERNATES)) {
    const response = await requests.post(signerOf(account), alternate, '', { accept, signal });
    chains.push(response.body.toString('utf8'));
  }
  return chains;
}

/** Targets of `Link: <…>;rel="alternate"` (RFC 8288). */
export function alternateLinks({ headers }: Pick<AcmeResponse, 'headers'>, base: string): string[] {
  const fields = [headers.link ?? []].flat();
  return fields
    .flatMap((field) => [...field.matchAll(/<([^>]{1,2000})>([^<]{0,500})/g)])
    .filter(([, , parameters]) => /;\s*rel="?alternate"?/i.test(parameters ?? ''))
    .flatMap(([, target]) => (URL.canParse(target!, base) ? [new URL(target!, base).href] : []));
}

function polled<T>(value: T, { headers }: AcmeResponse, clock: Clock): Polled<T> {
  const retryAt = retryAfter(headers['retry-after'], clock.now());
  return retryAt === undefined ? { value } : { value, retryAt };
}

function parseOrder({ body }: AcmeResponse): OrderObject {
  const order = parseJson(body) as Partial<OrderObject> | undefined;
  if (typeof order?.status !== 'string' || typeof order.finalize !== 'string' || !Array.isArray(order.authorizations))
    throw unexpected('that is no order');
  if (!order.authorizations.every((url) => typeof url === 'string')) throw unexpected('an authorization has no URL');
  return order as OrderObject;
}

function parseAuthorization({ body }: AcmeResponse): AuthorizationObject {
  const found = parseJson(body) as Partial<AuthorizationObject> | undefined;
  const isChallenge = (challenge: Partial<ChallengeObject>) =>
    typeof challenge?.type === 'string' && typeof challenge.url === 'string';
  if (typeof found?.status !== 'string' || typeof found.identifier?.value !== 'string')
    throw unexpected('that is no authorization');
  if (!Array.isArray(found.challenges) || !found.challenges.every(isChallenge))
    throw unexpected('the authorization has no proper challenges');
  return found as AuthorizationObject;
}

function unexpected(why: string): Fault {
  return new Fault({
    code: 'ca_answer_unexpected',
    detail: `the CA's answer cannot be used: ${why}`,
    party: 'ca',
    retry: 'backoff',
  });
}

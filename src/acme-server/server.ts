import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AccountInPlace } from '../store/acme-accounts.ts';
import { type AcmeAdministration, createAdministration } from './administration.ts';
import { authenticateByAccount, authenticateByKey, noSuchProfile, openJws } from './authenticate.ts';
import type { Call, Resource } from './call.ts';
import { collectGarbage } from './collection.ts';
import { type Answer, readBody, send } from './http.ts';
import { countRefusal, createAcmeMetrics, readGauges } from './metrics.ts';
import { createNonceService } from './nonce.ts';
import { openNonceKey } from './nonce-key.ts';
import { createProfileSource } from './profile-source.ts';
import { Refusal, refusalOf } from './refusal.ts';
import { createForeignNonces, keepReplica, REDEEM_PATH } from './replicas.ts';
import { route } from './router.ts';
import type { AcmeServerDeps, Services } from './services.ts';
import { createUpstreamOrders } from './upstream-orders.ts';
import { profileUrls } from './urls.ts';
import { createValidationQueue } from './validation-queue.ts';

export interface AcmeServer {
  /** Answers everything under `/acme/`. For a `node:https` (or, behind a TLS edge, `node:http`) server. */
  readonly handler: (request: IncomingMessage, response: ServerResponse) => void;
  readonly administration: AcmeAdministration;
  /** Takes up validations that another process left unfinished, and collects what is over. Until aborted. */
  run(signal: AbortSignal): Promise<void>;
  /** Resolves when no validation is under way. */
  idle(): Promise<void>;
  /** `ACME_METRICS` as Prometheus text. */
  metrics(): Promise<string>;
}

export async function createAcmeServer(deps: AcmeServerDeps): Promise<AcmeServer> {
  const metrics = createAcmeMetrics();
  const counting = { ...deps, metrics };
  const services: Services = {
    ...counting,
    nonces: createNonceService({
      key: await openNonceKey(deps),
      foreign: createForeignNonces({ ...deps, rootPem: deps.replicaRoot }),
    }),
    profiles: createProfileSource(deps.store.db),
    validations: createValidationQueue(counting),
    upstreamOrders: createUpstreamOrders(counting),
  };
  const replica = { ...deps, url: deps.replicaUrl ?? (() => undefined) };
  return {
    handler: (request, response) => void handle(services, request, response),
    administration: createAdministration(deps),
    async run(signal) {
      await Promise.all([
        services.validations.run(signal),
        services.upstreamOrders.run(signal),
        keepReplica(replica, services.nonces, signal),
        collect(deps, signal),
      ]);
    },
    idle: () => services.validations.idle(),
    metrics: async () => metrics.text(await readGauges(deps.store.db, services.validations.numbers, deps.clock.now())),
  };
}

const COLLECTION_MS = 3_600_000;

async function collect(deps: AcmeServerDeps, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await collectGarbage(deps).catch((error: unknown) => {
      if (!signal.aborted)
        deps.logger.warn({ err: error }, 'what is over could not be collected; tried again in an hour');
    });
    await deps.clock.sleep(COLLECTION_MS, signal).catch(() => {});
  }
}

async function handle(services: Services, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const headers: Record<string, string | readonly string[]> = { 'Cache-Control': 'no-store' };
  const began = performance.now();
  let answer: Answer;
  const place = { resource: 'none' };
  try {
    answer = await answerOf(services, request, headers, place);
    // Nobody is told of a certificate, or anything else, that a power cut could still take back.
    await services.store.confirmed();
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal.problem.status! >= 500)
      services.logger.error({ err: error, url: request.url }, 'an ACME request failed');
    countRefusal(services.metrics, refusal);
    answer = { status: refusal.problem.status!, headers: refusal.headers, body: refusal.problem };
  }
  // Every answer carries a nonce (RFC 8555 §6.5 asks for it in those to POST), except where nobody could use it.
  headers['Replay-Nonce'] = services.nonces.issue();
  services.metrics.count('gatehouse_acme_nonces_issued_total', {});
  const { resource } = place;
  services.metrics.count('gatehouse_acme_requests_total', { resource, status: String(answer.status) });
  services.metrics.observe('gatehouse_acme_request_duration_seconds', { resource }, (performance.now() - began) / 1000);
  const links = [headers.Link ?? [], answer.headers?.Link ?? []].flat();
  const { Link: _, ...rest } = answer.headers ?? {};
  if (links.length > 0) headers.Link = links;
  if (response.writableEnded || response.destroyed) return;
  send(response, { ...answer, headers: rest }, headers, request.method !== 'HEAD');
}

async function answerOf(
  services: Services,
  request: IncomingMessage,
  headers: Record<string, string | readonly string[]>,
  place: { resource: string },
): Promise<Answer> {
  const origin = originOf(services, request);
  const { path, query } = targetOf(request.url ?? '/', origin);
  if (path === REDEEM_PATH && request.method === 'POST')
    return { status: services.nonces.redeemOwn((await readBody(request)).toString('latin1')) ? 204 : 409 };
  const found = path === undefined ? undefined : route(path);
  if (found === undefined) throw new Refusal('malformed', 'there is nothing at this URL', { status: 404 });
  place.resource = found.pattern;
  requireMethod(found.resource, request);
  const { profiles } = services;
  const { profileId } = found;
  const profile =
    // An account's request finds out itself whether the profile that was seen last is still as it was.
    (profileId !== undefined && found.resource.auth === 'kid' ? profiles.seen(profileId) : undefined) ??
    (await (profileId === undefined ? profiles.getDefault() : profiles.get(profileId)));
  if (profile === undefined) throw noSuchProfile();
  const urls = profileUrls(origin, profile.id);
  if (found.resource.auth !== 'none' || found.pattern === 'new-nonce') headers.Link = `<${urls.directory}>;rel="index"`;
  const { parameters, resource } = found;
  return perform(
    resource,
    { services, profile, urls, parameters, request, query, now: services.clock.now() },
    `${origin}${request.url}`,
  );
}

// Segments that a URL parser would leave as they are.
const PLAIN = /^(?:\/[\w-][\w.-]*)+$/;

/** The path, undefined when the target is no URL. */
function targetOf(target: string, origin: string): { path?: string; query: string } {
  if (PLAIN.test(target)) return { path: target, query: '' };
  const url = URL.parse(target, origin);
  return { path: url?.pathname, query: url?.search.slice(1) ?? '' };
}

/** The origin by which the client came, if it is one of ours; else the canonical one. */
function originOf(services: Services, { headers: { host } }: IncomingMessage): string {
  const origins = services.origins();
  return origins.find((origin) => origin.slice(origin.indexOf('//') + 2) === host) ?? origins[0];
}

function requireMethod(resource: Resource, { method = '' }: IncomingMessage): void {
  const allowed = resource.auth === 'none' ? resource.methods : ['POST'];
  if (!allowed.includes(method))
    throw new Refusal('malformed', `${method} is not possible here, only ${allowed.join(', ')}`, {
      status: 405,
      headers: { Allow: allowed.join(', ') },
    });
}

async function perform(resource: Resource, call: Call, spelledUrl: string): Promise<Answer> {
  if (resource.auth === 'none') return resource.answer(call);
  const jws = await openJws(call, spelledUrl);
  if (resource.auth === 'jwk') return resource.answer(authenticateByKey(call, jws));
  if (resource.auth === 'kid') return resource.answer(await authenticateByAccount(call, jws));
  const authenticated: Call & { account?: AccountInPlace } & ReturnType<typeof authenticateByKey> =
    jws.header.key.kind === 'jwk' ? authenticateByKey(call, jws) : await authenticateByAccount(call, jws);
  return resource.answer(authenticated);
}

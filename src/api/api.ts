import cookie from '@fastify/cookie';
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import Fastify, { type FastifyInstance } from 'fastify';
import { type Clock, Fault, faultOf, type Logger, newSecret } from '../base/index.ts';
import { type Actor, type Control, requirePermission } from '../control/index.ts';
import { authenticate } from './auth.ts';
import { createHostCheck } from './hosts.ts';
import { openApiDocument, registerOpenApi } from './openapi.ts';
import { faultOfHttp, problemAnswer } from './problem.ts';
import type { Api, RouteDeps } from './route.ts';
import { acmeServerRoutes } from './routes/acme-server.ts';
import { appRoutes } from './routes/apps.ts';
import { auditRoutes } from './routes/audit.ts';
import { certificateRoutes } from './routes/certificates.ts';
import { conciergeRoutes } from './routes/concierge.ts';
import { dnsCredentialRoutes } from './routes/dns-credentials.ts';
import { domainRoutes } from './routes/domains.ts';
import { eventRoutes } from './routes/events.ts';
import { importRoutes, webhookRoutes } from './routes/imports.ts';
import { ingressRoutes } from './routes/ingress.ts';
import { issuerRoutes } from './routes/issuers.ts';
import { missionRoutes } from './routes/missions.ts';
import { networkRoutes } from './routes/networks.ts';
import { openIdRoutes } from './routes/openid.ts';
import { sessionRoutes } from './routes/session.ts';
import { systemRoutes } from './routes/system.ts';
import { tokenRoutes } from './routes/tokens.ts';
import { compileValidator } from './validation.ts';

export interface ApiDeps extends RouteDeps {
  readonly control: Control;
  readonly clock: Clock;
  readonly log: Logger;
  readonly version: string;
  /** Host names, besides loopback ones, by which it may be called. */
  readonly allowedHosts: readonly string[];
  /** Whether a host name was exposed, so that it is known without being in the list. */
  readonly isExposed?: (host: string) => Promise<boolean>;
  /** Lines of Prometheus text that other parts add to `/metrics`. */
  readonly metrics?: () => Promise<string>;
}

const ROUTES = [
  appRoutes,
  domainRoutes,
  importRoutes,
  webhookRoutes,
  certificateRoutes,
  issuerRoutes,
  dnsCredentialRoutes,
  acmeServerRoutes,
  ingressRoutes,
  networkRoutes,
  missionRoutes,
  conciergeRoutes,
  tokenRoutes,
  sessionRoutes,
  openIdRoutes,
  auditRoutes,
  systemRoutes,
  eventRoutes,
];

const MOST_BODY_BYTES = 1024 * 1024;

/** The REST API. The caller listens, and may add routes of its own before (the console, MCP). */
export async function createApi(deps: ApiDeps): Promise<FastifyInstance> {
  const { control, log, clock } = deps;
  const server = Fastify({
    logger: false,
    bodyLimit: MOST_BODY_BYTES,
    requestTimeout: 30_000,
    routerOptions: { maxParamLength: 1000 },
    trustProxy: false,
    genReqId: () => newSecret(9),
    forceCloseConnections: true,
  });
  const requireKnownHost = createHostCheck(deps.allowedHosts, deps.isExposed ?? (async () => false));
  server.setValidatorCompiler(compileValidator);
  server.setErrorHandler((error, request, reply) => {
    const fault = faultOfHttp(error) ?? faultOf(error);
    const { status, headers, body } = problemAnswer(fault, clock.now());
    const facts = {
      request: request.id,
      method: request.method,
      path: request.routeOptions.url ?? '',
      status,
      code: fault.code,
    };
    if (status >= 500) log.error({ ...facts, err: error }, 'a request failed');
    else log.debug(facts, 'a request was refused');
    return reply
      .code(status)
      .headers(headers)
      .type('application/problem+json')
      .send({ ...body, instance: `urn:gatehouse:request:${request.id}` });
  });
  server.setNotFoundHandler((request) => {
    throw new Fault({
      code: 'not_found',
      detail: `there is nothing at ${request.method} ${request.url.split('?')[0]?.slice(0, 300)}`,
      party: 'client',
      retry: 'never',
      status: 404,
      advice: 'GET /api/v1/openapi.json lists everything',
    });
  });
  server.decorateRequest('actor', null as unknown as Actor);
  server.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id).header('x-content-type-options', 'nosniff');
    await requireKnownHost(request.headers.host);
  });
  await server.register(cookie);
  await registerOpenApi(server, deps.version);
  await server.register(
    async (scope) => {
      const api = scope.withTypeProvider<TypeBoxTypeProvider>() as Api;
      api.addHook('onRequest', async (request, reply) => {
        reply.header('cache-control', 'no-store');
        if (request.routeOptions.config.public !== true && request.routeOptions.url !== undefined)
          request.actor = await authenticate(request, control);
      });
      for (const routes of ROUTES) routes(api, deps);
      let document: unknown;
      api.get(
        '/openapi.json',
        { config: { public: true }, schema: { hide: true } },
        async () => (document ??= openApiDocument(server)),
      );
    },
    { prefix: '/api/v1' },
  );
  healthRoutes(server, deps);
  return server;
}

function healthRoutes(server: FastifyInstance, { control, metrics }: ApiDeps): void {
  server.get('/healthz', { schema: { hide: true } }, async () => ({ status: 'alive', pid: process.pid }));
  server.get('/readyz', { schema: { hide: true } }, async () => {
    await control.system.ready();
    return { status: 'ready' };
  });
  server.get('/metrics', { schema: { hide: true } }, async (request, reply) => {
    requirePermission(await authenticate(request, control), 'system.acme.read');
    reply.type('text/plain; version=0.0.4; charset=utf-8');
    return `${await control.system.metrics()}${(await metrics?.()) ?? ''}`;
  });
}

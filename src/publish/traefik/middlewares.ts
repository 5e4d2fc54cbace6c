import type { HeaderRules, Route } from '../../picture/index.ts';
import type { Middleware } from './dynamic.ts';

/** What a route does to requests and answers, each under a short name, in the order in which Traefik applies them. */
export function renderMiddlewares(route: Route): [kind: string, middleware: Middleware][] {
  const list: [string, Middleware][] = [];
  const { redirect, request, limits } = route;
  if (limits?.concurrency !== undefined)
    list.push(['in-flight', { inFlightReq: { amount: limits.concurrency.active + (limits.concurrency.queue ?? 0) } }]);
  if (limits?.bodyBytes !== undefined) list.push(['body', { buffering: { maxRequestBodyBytes: limits.bodyBytes } }]);
  if (route.clientCertificate === 'required') list.push(['client-cert', { passTLSClientCert: { pem: true } }]);
  if (redirect !== undefined) {
    const to = redirect.to.replaceAll('$', () => '$$');
    list.push([
      'redirect',
      {
        redirectRegex: {
          regex: redirect.exact === true ? '^.*$' : '^[a-z]+://[^/?#]+(.*)$',
          // biome-ignore lint/suspicious/noTemplateCurlyInString: Go's notation of the first group.
          replacement: redirect.exact === true ? to : `${to}${'${1}'}`,
          permanent: redirect.status === undefined || redirect.status === 301 || redirect.status === 308,
        },
      },
    ]);
  }
  if (request?.stripPrefix === true && route.path !== '/')
    list.push(['strip', { stripPrefix: { prefixes: [route.path] } }]);
  const headers = renderHeaders(route);
  if (Object.keys(headers).length > 0) list.push(['headers', { headers }]);
  return list;
}

function renderHeaders({ request, response }: Route): Record<string, unknown> {
  const fixedHost = typeof request?.host === 'object' ? { Host: request.host.fixed } : {};
  const toUpstream = { ...headerMap(request?.headers), ...fixedHost };
  const toClient = headerMap(response?.headers);
  const hsts = response?.hsts;
  return {
    ...(Object.keys(toUpstream).length > 0 && { customRequestHeaders: toUpstream }),
    ...(Object.keys(toClient).length > 0 && { customResponseHeaders: toClient }),
    ...(hsts && {
      stsSeconds: hsts.maxAgeSeconds,
      stsIncludeSubdomains: hsts.includeSubDomains ?? false,
      stsPreload: hsts.preload ?? false,
    }),
  };
}

/** Traefik removes a header whose value is empty. */
const headerMap = (rules: HeaderRules | undefined): Record<string, string> => ({
  ...Object.fromEntries((rules?.remove ?? []).map((name) => [name, ''])),
  ...rules?.set,
});

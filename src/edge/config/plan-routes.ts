import { Fault, type FaultDetails, faultOf } from '../../base/index.ts';
import type { Route, Upstream } from '../../picture/index.ts';
import { parseCertificateName } from '../../x509/index.ts';
import type { ServiceConfig, SiteConfig } from './site-schema.ts';

/** Reads a file that the configuration names; throws a `Fault`. */
export type ReadText = (path: string, field: string) => string;

const ms = (seconds: number | undefined) => (seconds === undefined ? undefined : Math.round(seconds * 1000));

/** Routes of all sites, with an id that stays the same while host and path do. Throws every problem at once. */
export function planRoutes(sites: readonly SiteConfig[], readText: ReadText): Route[] {
  const routes = new Map<string, Route>();
  const problems: FaultDetails[] = [];
  const attempt = (work: () => void) => {
    try {
      work();
    } catch (error) {
      problems.push(faultOf(error).details);
    }
  };
  sites.forEach((site, i) => {
    const services = [{ path: '/', field: `sites[${i}]`, service: site }];
    site.paths?.forEach((entry, j) => {
      services.push({ path: entry.path, field: `sites[${i}].paths[${j}]`, service: { ...site, ...entry } });
    });
    // A site may say nothing of the paths that it does not list.
    const spoken = services.filter(({ service }) => service.upstreams !== undefined || service.redirect !== undefined);
    if (spoken.length === 0) attempt(() => refuse(`sites[${i}]`, 'has no upstreams, redirect or paths'));
    site.hosts.forEach((text, h) => {
      attempt(() => {
        const host = parseHost(text, `sites[${i}].hosts[${h}]`);
        for (const { path, field, service } of spoken) {
          const id = `${host}${path}`;
          if (routes.has(id)) refuse(field, `there is another site for ${host} at ${path}`);
          routes.set(id, planRoute(id, host, path, site, service, field, readText));
        }
      });
    });
  });
  if (problems.length === 0) return [...routes.values()];
  throw new Fault({
    code: 'invalid_config',
    detail: problems.map(({ detail }) => detail).join('\n'),
    party: 'operator',
    retry: 'never',
    problems,
  });
}

function refuse(field: string, reason: string): never {
  throw new Fault({ code: 'invalid_config', detail: `${field}: ${reason}`, party: 'operator', retry: 'never', field });
}

/** What a name of one label is: `localhost`, or a machine of a home network. No CA issues for one; files may be there. */
const ONE_LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/i;

function parseHost(text: string, field: string): string {
  if (ONE_LABEL.test(text) && !/^\d+$/.test(text)) return text.toLowerCase();
  try {
    return parseCertificateName(text);
  } catch (error) {
    return refuse(field, `"${text}" is not a host name: ${faultOf(error).message}`);
  }
}

function planRoute(
  id: string,
  host: string,
  path: string,
  site: SiteConfig,
  service: ServiceConfig,
  field: string,
  readText: ReadText,
): Route {
  const { redirect, balance } = service;
  if (site.passthrough === true && (path !== '/' || service.redirect !== undefined))
    refuse(field, 'passthrough hands whole connections on, so it has no paths and no redirect');
  const upstreams = redirect === undefined ? (service.upstreams ?? []) : [];
  return dropUndefined({
    id,
    host,
    path,
    upstreams: upstreams.map((entry, u) => planUpstream(entry, `${field}.upstreams[${u}]`, readText)),
    tls: site.passthrough === true ? 'passthrough' : undefined,
    redirect,
    balance,
    clientCertificate: site.client_certificate,
    plain: site.plain,
    health: planHealth(service.health),
    timeouts: service.timeouts && {
      connectMs: ms(service.timeouts.connect_seconds),
      requestMs: ms(service.timeouts.request_seconds),
      idleMs: ms(service.timeouts.idle_seconds),
    },
    limits: service.limits && {
      bodyBytes: service.limits.body_bytes,
      concurrency: service.limits.concurrency && {
        active: service.limits.concurrency.active,
        queue: service.limits.concurrency.queue,
        waitMs: ms(service.limits.concurrency.wait_seconds),
      },
    },
    request: planRequest(service.request),
    response: planResponse(service.response),
  });
}

function planUpstream(
  entry: NonNullable<ServiceConfig['upstreams']>[number],
  field: string,
  readText: ReadText,
): Upstream {
  if (typeof entry === 'string') return { url: entry };
  const { url, weight, proxy_protocol, tls } = entry;
  if (url.startsWith('h2c:') && proxy_protocol !== undefined)
    refuse(`${field}.proxy_protocol`, 'h2c connections are shared by clients, and a PROXY header speaks for one');
  return {
    url,
    weight,
    proxyProtocol: proxy_protocol,
    tls: tls && {
      serverName: tls.server_name,
      ca: tls.ca_file === undefined ? undefined : readText(tls.ca_file, `${field}.tls.ca_file`),
      insecure: tls.insecure,
      http2: tls.http2,
    },
  };
}

function planHealth(health: ServiceConfig['health']): Route['health'] {
  const { active, passive } = health ?? {};
  if (health === undefined) return undefined;
  return {
    active: active && {
      path: active.path,
      intervalMs: ms(active.interval_seconds),
      timeoutMs: ms(active.timeout_seconds),
      healthyAfter: active.healthy_after,
      unhealthyAfter: active.unhealthy_after,
      statuses: active.statuses,
    },
    passive: passive && {
      failures: passive.failures,
      restMs: ms(passive.rest_seconds),
      statuses: passive.statuses,
    },
  };
}

function planRequest(request: ServiceConfig['request']): Route['request'] {
  if (request === undefined) return undefined;
  const { host, strip_prefix, headers } = request;
  const fixed = host === undefined || host === 'client' || host === 'upstream' ? host : { fixed: host };
  return { host: fixed, stripPrefix: strip_prefix, headers };
}

function planResponse(response: ServiceConfig['response']): Route['response'] {
  if (response === undefined) return undefined;
  const { headers, hsts } = response;
  return {
    headers,
    hsts: hsts && {
      maxAgeSeconds: hsts.max_age_seconds,
      includeSubDomains: hsts.include_subdomains,
      preload: hsts.preload,
    },
  };
}

/** Optional members that are not there are absent, as in JSON. */
const dropUndefined = (route: Route): Route => JSON.parse(JSON.stringify(route)) as Route;

import type { Dynamic, HttpRouter, HttpService, Middleware, TraefikSettings } from './dynamic.ts';
import { CLIENT_AUTH_OPTIONS, entryPointsOf } from './names.ts';

const CHALLENGE_PATH = '/.well-known/acme-challenge/';
// Above anything that routes have, so that no catch-all can swallow a challenge.
const FIRST = 1_000_000;
const LAST = 1;

/** What does not come from any route: challenges, the redirect to https, and options that routers name. */
export function renderBase(settings: TraefikSettings): Dynamic {
  const { http } = entryPointsOf(settings);
  const routers: Record<string, HttpRouter> = {};
  const services: Record<string, HttpService> = {};
  const middlewares: Record<string, Middleware> = {};
  if (settings.challengeResponder !== undefined) {
    const name = 'gatehouse-acme-challenge';
    routers[name] = {
      rule: `PathPrefix(\`${CHALLENGE_PATH}\`)`,
      priority: FIRST,
      entryPoints: [http],
      service: name,
    };
    services[name] = { loadBalancer: { servers: [{ url: settings.challengeResponder }], passHostHeader: true } };
  }
  if (settings.redirectPlain === true) {
    const name = 'gatehouse-to-https';
    routers[name] = {
      rule: 'PathPrefix(`/`)',
      priority: LAST,
      entryPoints: [http],
      service: 'noop@internal',
      middlewares: [name],
    };
    middlewares[name] = { redirectScheme: { scheme: 'https', permanent: true } };
  }
  return {
    ...(Object.keys(routers).length > 0 && {
      http: {
        routers,
        ...(Object.keys(services).length > 0 && { services }),
        ...(Object.keys(middlewares).length > 0 && { middlewares }),
      },
    }),
    ...(settings.clientCa !== undefined && {
      tls: {
        options: {
          [CLIENT_AUTH_OPTIONS]: {
            clientAuth: { caFiles: [settings.clientCa], clientAuthType: 'RequireAndVerifyClientCert' as const },
          },
        },
      },
    }),
  };
}

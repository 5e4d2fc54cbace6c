import type { TraefikSettings } from './dynamic.ts';

/** Traefik's usual names of its two entry points, unless others are configured. */
export const entryPointsOf = ({ entryPoints = {} }: TraefikSettings) => ({
  https: entryPoints.https ?? 'websecure',
  http: entryPoints.http ?? 'web',
});

/** Name of what a route becomes; unique in Traefik's one space of names, and safe in a file name. */
export const routerName = (routeId: string): string => `gatehouse-${routeId.replaceAll(/[^a-z0-9]/gi, '-')}`;

/** Name of the TLS options that ask for a client certificate. */
export const CLIENT_AUTH_OPTIONS = 'gatehouse-client-auth';

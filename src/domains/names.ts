import { isWildcard, registeredDomain } from '../x509/index.ts';

/** RFC 6761 §6.3: names under `localhost` are loopback and are in no DNS. */
export const isLocal = (name: string): boolean => name.endsWith('.localhost');

/** An app's own subdomain. */
export const autoDomain = (appId: string, baseDomain: string): string => `app-${appId}.${baseDomain}`;

/** Where a claim is proved by DNS: `_gatehouse-challenge.<name>`, for a wildcard that of the name under it. */
export const proofName = (name: string): string => `_gatehouse-challenge.${name.replace(/^\*\./, '')}`;

/** The TXT value that proves a name for an app. */
export const proofValue = (proofToken: string): string => `gatehouse-app=${proofToken}`;

/** A name at a zone's top, where a CNAME cannot stand (RFC 1034 §3.6.2). */
export const isApex = (name: string): boolean => registeredDomain(name) === name;

/** The wildcard that would cover a name. */
export const wildcardAbove = (name: string): string | undefined => {
  if (isWildcard(name)) return undefined;
  const rest = name.slice(name.indexOf('.'));
  return rest.indexOf('.', 1) > 0 ? `*${rest}` : undefined;
};

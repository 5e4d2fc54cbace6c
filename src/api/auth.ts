import type { FastifyRequest } from 'fastify';
import { Fault } from '../base/index.ts';
import type { Actor, Control } from '../control/index.ts';

declare module 'fastify' {
  interface FastifyRequest {
    actor: Actor;
  }
  interface FastifyContextConfig {
    /** Needs no token. */
    public?: boolean;
  }
}

export const SESSION_COOKIE = 'gatehouse_session';

/** Sites cannot send this header to another site without its leave (Fetch standard: not safelisted, so preflighted). */
export const CSRF_HEADER = 'x-gatehouse-console';

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Who asks: by bearer token (RFC 6750 §2.1; never in the URL), or by the console's session cookie. */
export async function authenticate(request: FastifyRequest, control: Control): Promise<Actor> {
  const header = request.headers.authorization;
  if (header !== undefined) {
    const token = /^Bearer +(\S+)$/i.exec(header)?.[1];
    if (token === undefined) throw unauthorized('the Authorization header is not of the form "Bearer <token>"');
    return control.tokens.authenticate(token);
  }
  const secret = request.cookies[SESSION_COOKIE];
  if (secret === undefined) throw unauthorized('a token is needed');
  // The cookie comes by itself, so a write must show that a page of ours sent it.
  if (!SAFE.has(request.method)) requireOwnPage(request);
  return control.tokens.session(secret);
}

export function requireOwnPage(request: FastifyRequest): void {
  const site = request.headers['sec-fetch-site'];
  const origin = request.headers.origin;
  const foreign =
    (site !== undefined && site !== 'same-origin' && site !== 'none') ||
    (origin !== undefined && URL.parse(origin)?.host !== request.headers.host);
  if (foreign || request.headers[CSRF_HEADER] === undefined)
    throw new Fault({
      code: 'cross_site',
      detail: `a write with a session needs the header ${CSRF_HEADER} and must come from this site`,
      party: 'client',
      retry: 'never',
      status: 403,
      advice: 'programs use a bearer token instead of a session',
    });
}

function unauthorized(detail: string): Fault {
  return new Fault({
    code: 'unauthorized',
    detail,
    party: 'client',
    retry: 'never',
    status: 401,
    advice: 'send "Authorization: Bearer <token>"; the first token was printed at the first start',
  });
}

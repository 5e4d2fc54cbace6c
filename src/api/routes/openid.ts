import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { faultOf } from '../../base/index.ts';
import { SESSION_COOKIE } from '../auth.ts';
import { PENDING_COOKIE, PENDING_LASTS_SECONDS, parsePending, writePending } from '../openid/pending-cookie.ts';
import { type Api, answers, type RouteDeps } from '../route.ts';

const START = '/session/openid';
const CALLBACK = '/session/openid/callback';
const BELOW = '/api/v1';

/** Signing in through an OpenID provider. Failures lead back to the sign-in page, which knows their codes. */
export function openIdRoutes(api: Api, deps: RouteDeps): void {
  const { control, clock, log, openid } = deps;
  api.get(
    '/session/ways',
    {
      config: { public: true },
      schema: {
        tags: ['session'],
        security: [],
        operationId: 'listSignInWays',
        summary: 'Ways to sign in to the console besides a token',
        response: answers(Type.Array(Type.Object({ title: Type.String(), path: Type.String() }))),
      },
    },
    async () => ({ data: openid === undefined ? [] : [{ title: openid.title, path: `${BELOW}${START}` }] }),
  );
  if (openid === undefined) return;
  const redirectUri = (request: FastifyRequest) =>
    `${openid.publicUrl ?? `${request.protocol}://${request.headers.host ?? ''}`}${BELOW}${CALLBACK}`;
  const back = (reply: FastifyReply, error: unknown) => {
    const fault = faultOf(error);
    log.warn({ err: error, code: fault.code }, 'somebody could not sign in through the OpenID provider');
    return reply.redirect(`/app?sign_in=${encodeURIComponent(fault.code)}`);
  };

  api.get(START, { config: { public: true }, schema: { hide: true } }, async (request, reply) => {
    try {
      const { url, pending } = await openid.provider.begin(redirectUri(request));
      reply.setCookie(PENDING_COOKIE, writePending(pending), {
        path: `${BELOW}${START}`,
        httpOnly: true,
        // The provider sends the browser back from another site, and Strict would withhold it then.
        sameSite: 'lax',
        secure: redirectUri(request).startsWith('https:'),
        maxAge: PENDING_LASTS_SECONDS,
      });
      return await reply.redirect(url.href);
    } catch (error) {
      return back(reply, error);
    }
  });

  api.get(CALLBACK, { config: { public: true }, schema: { hide: true } }, async (request, reply) => {
    const pending = parsePending(request.cookies[PENDING_COOKIE]);
    reply.clearCookie(PENDING_COOKIE, { path: `${BELOW}${START}` });
    if (pending === undefined) return reply.redirect('/app?sign_in=openid_expired');
    try {
      const callback = new URL(redirectUri(request));
      callback.search = new URL(request.url, 'http://localhost').search;
      const { subject, permissions, persons } = await openid.provider.finish(callback, pending);
      const { secret, expiresAt } = await control.tokens.signInAs(subject, permissions, persons);
      reply.setCookie(SESSION_COOKIE, secret, {
        path: '/',
        httpOnly: true,
        sameSite: 'strict',
        secure: callback.protocol === 'https:',
        maxAge: Math.floor((expiresAt - clock.now()) / 1000),
      });
      return await reply.redirect('/app');
    } catch (error) {
      return back(reply, error);
    }
  });
}

import { Type } from 'typebox';
import { Nullable, Strict, Time } from '../../contract/index.ts';
import { requireOwnPage, SESSION_COOKIE } from '../auth.ts';
import { type Api, answers, nothing, type RouteDeps } from '../route.ts';

const Session = Type.Object({
  name: Type.String({ description: 'as the audit log has it' }),
  display_name: Type.String(),
  permissions: Type.Array(Type.String()),
  apps: Nullable(Type.Array(Type.String())),
  expires_at: Time,
});

export function sessionRoutes(api: Api, { control, clock }: RouteDeps): void {
  const tags = ['session'];
  api.post(
    '/session',
    {
      config: { public: true },
      schema: {
        tags,
        security: [],
        operationId: 'signIn',
        summary: 'Exchanges a token for an HttpOnly cookie, for the console',
        body: Type.Object({ token: Type.String({ minLength: 1, maxLength: 200 }) }, Strict),
        response: answers(Session),
      },
    },
    async (request, reply) => {
      // Signing somebody in to another's account is an attack too.
      requireOwnPage(request);
      const { secret, actor, expiresAt } = await control.tokens.signIn(request.body.token);
      reply.setCookie(SESSION_COOKIE, secret, {
        path: '/',
        httpOnly: true,
        sameSite: 'strict',
        secure: request.protocol === 'https',
        maxAge: Math.floor((expiresAt - clock.now()) / 1000),
      });
      return { data: { ...(await control.tokens.whoami(actor)), expires_at: new Date(expiresAt).toISOString() } };
    },
  );
  api.delete(
    '/session',
    {
      config: { public: true },
      schema: { tags, security: [], operationId: 'signOut', summary: 'Ends the session', response: nothing },
    },
    async (request, reply) => {
      requireOwnPage(request);
      const secret = request.cookies[SESSION_COOKIE];
      if (secret !== undefined) await control.tokens.signOut(secret);
      reply.clearCookie(SESSION_COOKIE, { path: '/' });
      return reply.code(204).send(null);
    },
  );
}

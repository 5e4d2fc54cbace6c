// api owns the REST face: routes, who asks, problem documents, OpenAPI, event streams. One route calls one use case.
// It refuses to decide anything: what may be done, and how, is control's.
export { type ApiDeps, createApi } from './api.ts';
export { authenticate, CSRF_HEADER, requireOwnPage, SESSION_COOKIE } from './auth.ts';
export { createOpenIdProvider } from './openid/provider.ts';
export type { OpenIdSide } from './route.ts';

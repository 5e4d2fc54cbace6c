// acme-server owns our side of RFC 8555 and RFC 9773: profiles, accounts, orders, validation, policy, limits, nonces.
// It refuses to know how certificates are signed (it is given an issuer), who listens, and who may administer it.
// Wiring: give `handler` every request under /acme/ of an HTTPS server, call `run` once, make the first profile through
// `administration.createProfile({ id: 'default', default: true, … }, 'system')` when `listProfiles` is empty.
export type { AccountView } from './administer-accounts.ts';
export type { EabKeyView } from './administer-eab-keys.ts';
export type { ProfileView } from './administer-profiles.ts';
export type { AcmeAdministration, Page } from './administration.ts';
export { EabKeySettings } from './eab-key.ts';
export { longestLifetime } from './longest-lifetime.ts';
export type { OrderView } from './order-view.ts';
export { createPerspectiveHandler, createRemotePerspective, type RemotePerspective } from './perspective-http.ts';
export type { Perspective } from './perspectives.ts';
export { ProfileSettings } from './profile.ts';
export { type AcmeServer, createAcmeServer } from './server.ts';
export type { AcmeServerDeps, CertificateIssuer, UpstreamIssuers } from './services.ts';

// edge owns the TLS-terminating reverse proxy: its ports, worker processes, handshakes, and everything from an accepted
// connection onward; and, where it runs alone, its configuration and the certificates of its listeners. It serves what a
// picture says and goes on when nobody writes one any more; it refuses to know how an ACME server is spoken to.
export { listenOnPort, listenOnSocket } from './admin/listen.ts';
export { adminRoutes, healthRoutes, type OperatorDeps } from './admin/operator-routes.ts';
export { serveRoutes } from './admin/serve-json.ts';
export { planLimits } from './config/limits-schema.ts';
export { ProxyConfig, tlsCommon } from './config/schema.ts';
export { type HandedPort, type HandedSockets, handedSockets, handOver, takesOver } from './handed-sockets.ts';
export type { CacheDirectory } from './keeper/cache-directory.ts';
export type { Issuance, IssuanceRequest, RenewalWindow } from './keeper/issuance.ts';
export type { ManagedPair, ManagedSource } from './keeper/keep-managed.ts';
export type { ListenerSettings, TlsListenerSettings } from './listen/settings.ts';
export { renderPrometheus } from './observe/prometheus.ts';
export type { Samples } from './observe/series.ts';
export { defaultSettings as defaultPlaneSettings } from './plane/settings.ts';
export type { PlaneSettings } from './plane/types.ts';
export { createProxy, type Present, type ProxyStatus, type RunningProxy } from './proxy/create-proxy.ts';
export { type PlannedAcme, type PlannedManaged, type ProxyPlan, planProxy, planTls } from './proxy/plan-proxy.ts';
export { type Edge, type EdgeListener, type EdgeOptions, type ListenerPlan, startEdge } from './start-edge.ts';
export { defaultTlsPolicy, GROUPS, TLS12_SUITES, type TlsPolicy, type TlsVersion } from './tls/policy.ts';
export { type HeldTickets, ticketsFromText, ticketsToText } from './tls/ticket-keys.ts';
export type { PictureFile, WorkerReport } from './worker-wire.ts';

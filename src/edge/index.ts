// edge owns the TLS-terminating reverse proxy: its ports, worker processes, handshakes, and everything from an accepted
// connection onward. It serves what a picture says and goes on when nobody writes one any more; it refuses to know where
// certificates and routes come from.
export type { ListenerSettings, TlsListenerSettings } from './listen/settings.ts';
export { defaultSettings as defaultPlaneSettings } from './plane/settings.ts';
export type { PlaneSettings } from './plane/types.ts';
export { type Edge, type EdgeListener, type EdgeOptions, type ListenerPlan, startEdge } from './start-edge.ts';
export { defaultTlsPolicy, GROUPS, TLS12_SUITES, type TlsPolicy, type TlsVersion } from './tls/policy.ts';
export type { PictureFile, WorkerReport } from './worker-wire.ts';

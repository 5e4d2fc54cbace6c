import type { PlaneSettings } from './types.ts';

export const defaultSettings: PlaneSettings = {
  trustedProxies: [],
  requestIdHeader: 'x-request-id',
  protocolEngine: 'own',
  limits: {
    connections: 10_000,
    connectionsPerAddress: 1_000,
    requestsPerAddress: undefined,
    exempt: [],
    headBytes: 32_768,
    headerCount: 100,
    bodyBytes: 100 * 1024 * 1024,
    headMs: 10_000,
    bodyMs: 30_000,
    idleMs: 75_000,
    requestsPerConnection: 100_000,
    http2: { streams: 128, resets: 200, controlFrames: 1_000 },
    upstream: { connectMs: 5_000, requestMs: 60_000, idleMs: 300_000 },
  },
};

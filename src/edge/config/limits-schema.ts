import { type Static, Type } from 'typebox';
import { defaultSettings } from '../plane/settings.ts';
import type { PlaneLimits } from '../plane/types.ts';

const closed = { additionalProperties: false };
const { limits } = defaultSettings;
const Count = (fallback: number, description: string) => Type.Integer({ minimum: 1, default: fallback, description });
const Seconds = (fallbackMs: number, description: string) =>
  Type.Number({ exclusiveMinimum: 0, maximum: 86_400, default: fallbackMs / 1000, description });

export const LimitsConfig = Type.Object(
  {
    connections: Count(limits.connections, 'open connections, of all workers together'),
    connections_per_address: Count(limits.connectionsPerAddress, 'of them, from one address (IPv6: one /64)'),
    requests_per_address: Type.Optional(
      Type.Object(
        {
          per_second: Type.Number({ exclusiveMinimum: 0, description: 'tokens that come back' }),
          burst: Type.Integer({ minimum: 1, description: 'tokens that a bucket holds' }),
        },
        { ...closed, description: 'a token bucket for each address (IPv6: /64); then 429' },
      ),
    ),
    exempt: Type.Array(Type.String(), { default: [], description: 'CIDR blocks that the two do not count' }),
    header_bytes: Count(limits.headBytes, 'request line and header fields'),
    header_count: Count(limits.headerCount, 'header fields'),
    body_bytes: Count(limits.bodyBytes, 'request body; more is refused with 413'),
    header_seconds: Seconds(limits.headMs, 'for a request head'),
    body_seconds: Seconds(limits.bodyMs, 'between two pieces of a request body'),
    idle_seconds: Seconds(limits.idleMs, 'between requests of a connection'),
    requests_per_connection: Count(limits.requestsPerConnection, 'then the connection is closed'),
    http2_streams: Count(limits.http2.streams, 'streams of a connection at once'),
    http2_resets: Count(limits.http2.resets, 'streams that a client may reset in ten seconds'),
    http2_control_frames: Count(limits.http2.controlFrames, 'control frames beyond need in ten seconds'),
    upstream_connect_seconds: Seconds(limits.upstream.connectMs, 'to connect to an upstream'),
    upstream_request_seconds: Seconds(limits.upstream.requestMs, 'for the head of an upstream answer'),
    upstream_idle_seconds: Seconds(limits.upstream.idleMs, 'between two pieces of an answer'),
  },
  { ...closed, default: {} },
);

export function planLimits(config: Static<typeof LimitsConfig>): PlaneLimits {
  const rate = config.requests_per_address;
  const ms = (seconds: number) => Math.round(seconds * 1000);
  return {
    connections: config.connections,
    connectionsPerAddress: config.connections_per_address,
    requestsPerAddress: rate === undefined ? undefined : { perSecond: rate.per_second, burst: rate.burst },
    exempt: config.exempt,
    headBytes: config.header_bytes,
    headerCount: config.header_count,
    bodyBytes: config.body_bytes,
    headMs: ms(config.header_seconds),
    bodyMs: ms(config.body_seconds),
    idleMs: ms(config.idle_seconds),
    requestsPerConnection: config.requests_per_connection,
    http2: {
      streams: config.http2_streams,
      resets: config.http2_resets,
      controlFrames: config.http2_control_frames,
    },
    upstream: {
      connectMs: ms(config.upstream_connect_seconds),
      requestMs: ms(config.upstream_request_seconds),
      idleMs: ms(config.upstream_idle_seconds),
    },
  };
}

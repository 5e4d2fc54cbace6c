import * as h2 from './frames.ts';
import type { Sender } from './sender.ts';
import type { Stream } from './stream.ts';

/** What settings of the peer change. */
export interface SettingsTarget {
  readonly sender: Sender;
  readonly streams: ReadonlyMap<number, Stream>;
  peerStreams: number;
  initialSendWindow: number;
}

/** Applies the entries of a SETTINGS frame in order (RFC 9113 §6.5.3). Returns an error code of the connection, or 0. */
export function applySettings(target: SettingsTarget, bytes: Buffer, start: number, end: number): number {
  for (let at = start; at < end; at += 6) {
    const id = (bytes[at]! << 8) | bytes[at + 1]!;
    const code = applyOne(target, id, h2.readUint32(bytes, at + 2));
    if (code !== 0) return code;
  }
  return 0;
}

function applyOne(target: SettingsTarget, id: number, value: number): number {
  const { sender } = target;
  switch (id) {
    case h2.HEADER_TABLE_SIZE:
      sender.encoder.limit(value);
      return 0;
    case h2.ENABLE_PUSH:
      return value > 1 ? h2.PROTOCOL_ERROR : 0;
    case h2.MAX_CONCURRENT_STREAMS:
      target.peerStreams = value;
      return 0;
    case h2.MAX_FRAME_SIZE:
      if (value < h2.DEFAULT_FRAME_SIZE || value > 2 ** 24 - 1) return h2.PROTOCOL_ERROR;
      // Larger ones would keep other streams waiting.
      sender.maxFrameSize = Math.min(value, 65_536);
      return 0;
    case h2.INITIAL_WINDOW_SIZE: {
      if (value > h2.LARGEST_WINDOW) return h2.FLOW_CONTROL_ERROR;
      const change = value - target.initialSendWindow;
      target.initialSendWindow = value;
      for (const stream of target.streams.values()) {
        stream.sendWindow += change;
        if (stream.sendWindow > h2.LARGEST_WINDOW) return h2.FLOW_CONTROL_ERROR;
      }
      return 0;
    }
    default:
      return 0;
  }
}

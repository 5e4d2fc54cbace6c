import { FRAME_HEAD, FRAME_SIZE_ERROR, PREFACE, PROTOCOL_ERROR, readUint32 } from './frames.ts';

export interface FrameHandler {
  /** A whole frame, its payload in `bytes[start, end)`. Returns an error code of the connection, or 0. */
  frame(type: number, flags: number, stream: number, bytes: Buffer, start: number, end: number): number;
}

/** Cuts a byte stream into frames. What is cut off in the middle is kept for the next call. */
export class FrameReader {
  private held: Buffer | undefined;
  private preface: boolean;
  private readonly mostPayload: number;

  constructor(expectPreface: boolean, mostPayload: number) {
    this.preface = expectPreface;
    this.mostPayload = mostPayload;
  }

  /** Returns an error code of the connection, or 0. */
  read(bytes: Buffer, at: number, end: number, handler: FrameHandler): number {
    if (this.held !== undefined) {
      bytes = Buffer.concat([this.held, bytes.subarray(at, end)]);
      at = 0;
      end = bytes.length;
      this.held = undefined;
    }
    if (this.preface) {
      const length = Math.min(PREFACE.length, end - at);
      if (bytes.compare(PREFACE, 0, length, at, at + length) !== 0) return PROTOCOL_ERROR;
      if (length < PREFACE.length) {
        this.held = Buffer.from(bytes.subarray(at, end));
        return 0;
      }
      this.preface = false;
      at += length;
    }
    while (end - at >= FRAME_HEAD) {
      const length = (bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!;
      const type = bytes[at + 3]!;
      if (length > this.mostPayload) return FRAME_SIZE_ERROR;
      const start = at + FRAME_HEAD;
      if (end - start < length) break;
      const stream = readUint32(bytes, at + 5) & 0x7fffffff;
      const code = handler.frame(type, bytes[at + 4]!, stream, bytes, start, start + length);
      if (code !== 0) return code;
      at = start + length;
    }
    if (at < end) this.held = Buffer.from(bytes.subarray(at, end));
    return 0;
  }
}

/** Where the payload of a frame that may be padded lies; `undefined` when the padding is longer than it (§6.1). */
export function unpad(
  flags: number,
  bytes: Buffer,
  start: number,
  end: number,
): { start: number; end: number } | undefined {
  if ((flags & 0x8) === 0) return { start, end };
  if (start >= end) return undefined;
  const padding = bytes[start]!;
  return start + 1 + padding > end ? undefined : { start: start + 1, end: end - padding };
}

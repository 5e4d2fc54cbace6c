/** What a peer may do to make us work for nothing, counted over windows of ten seconds. */
export interface AbuseLimits {
  readonly resets: number;
  readonly controlFrames: number;
}

const WINDOW_MS = 10_000;

export class AbuseCount {
  private resets = 0;
  private controlFrames = 0;
  private windowEnd = 0;
  private readonly limits: AbuseLimits;
  constructor(limits: AbuseLimits) {
    this.limits = limits;
  }
  /** A stream that ended by a reset, whoever sent it: a client can make us send them too (CVE-2025-8671). */
  reset(): boolean {
    return ++this.resets > this.limits.resets;
  }
  /** PING, SETTINGS, PRIORITY, WINDOW_UPDATE, empty DATA and frames for streams that are gone. */
  controlFrame(): boolean {
    return ++this.controlFrames > this.limits.controlFrames;
  }
  /** Work that was worth something pays for control frames, as window updates go with data. */
  useful(): void {
    if (this.controlFrames > 0) this.controlFrames--;
  }
  tick(now: number): void {
    if (now < this.windowEnd) return;
    this.windowEnd = now + WINDOW_MS;
    this.resets = 0;
    this.controlFrames = 0;
  }
}

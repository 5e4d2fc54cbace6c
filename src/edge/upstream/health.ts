import type { HealthRules } from '../../picture/index.ts';

const PASSIVE_FAILURES = 3;
const PASSIVE_REST_MS = 10_000;

/** Whether an upstream should get requests, from what was seen of it. Pure: time is passed in. */
export class Health {
  private failures = 0;
  private restUntil = 0;
  /** What the active check last concluded; undefined without one. */
  private checkedWell: boolean | undefined;
  private inRow = 0;
  private allowed = PASSIVE_FAILURES;
  private restMs = PASSIVE_REST_MS;
  reason: string | undefined;

  follow(rules: HealthRules | undefined): void {
    this.allowed = rules?.passive?.failures ?? PASSIVE_FAILURES;
    this.restMs = rules?.passive?.restMs ?? PASSIVE_REST_MS;
  }

  isHealthy(now: number): boolean {
    return this.checkedWell !== false && now >= this.restUntil;
  }

  succeeded(): void {
    this.failures = 0;
    this.restUntil = 0;
    if (this.checkedWell !== false) this.reason = undefined;
  }

  failed(now: number, detail: string): void {
    this.reason = detail;
    if (++this.failures < this.allowed) return;
    // One more failure after the rest is enough to rest again.
    this.failures = this.allowed - 1;
    this.restUntil = now + this.restMs;
  }

  checked(well: boolean, detail: string, healthyAfter: number, unhealthyAfter: number): void {
    if (well === (this.checkedWell ?? true)) {
      this.inRow = 0;
      this.checkedWell ??= well;
      return;
    }
    if (++this.inRow < (well ? healthyAfter : unhealthyAfter)) return;
    this.inRow = 0;
    this.checkedWell = well;
    this.reason = well ? undefined : detail;
    if (well) this.succeeded();
  }

  uncheck(): void {
    this.checkedWell = undefined;
    this.inRow = 0;
  }
}

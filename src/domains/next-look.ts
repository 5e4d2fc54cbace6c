import type { DnsState } from '../store/domains.ts';

const FIRST_PAUSE_MS = 10_000;
const LONGEST_PAUSE_MS = 3_600_000;
const CALM_PAUSE_MS = 24 * 3_600_000;

/**
 * The pause before DNS is looked at again: a day where all is well, else growing by half from ten seconds to an hour, so
 * that a record set a minute ago is found soon and one never set costs little. `undefined` where DNS plays no part.
 */
export function pauseBeforeLook(state: DnsState, looks: number): number | undefined {
  if (state === 'local') return undefined;
  if (state === 'configured') return CALM_PAUSE_MS;
  return Math.min(LONGEST_PAUSE_MS, Math.round(FIRST_PAUSE_MS * 1.5 ** Math.min(looks, 30)));
}

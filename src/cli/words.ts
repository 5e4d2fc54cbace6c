const UNITS: readonly (readonly [ms: number, name: string])[] = [
  [86_400_000, 'day'],
  [3_600_000, 'hour'],
  [60_000, 'minute'],
  [1_000, 'second'],
];

/** `1 app`, `2 apps`. */
export const counted = (count: number, name: string): string => `${count} ${name}${count === 1 ? '' : 's'}`;

/** `in 3 days`, `2 hours ago`, `now`. */
export function relative(time: string | null | undefined, now: number): string {
  if (time === null || time === undefined) return '-';
  const distance = Date.parse(time) - now;
  const [ms, name] = UNITS.find(([unit]) => Math.abs(distance) >= unit) ?? [1_000, 'second'];
  const count = Math.floor(Math.abs(distance) / ms);
  if (count === 0) return 'now';
  const words = counted(count, name);
  return distance > 0 ? `in ${words}` : `${words} ago`;
}

/** `2026-11-24 03:00` UTC. */
export const shortTime = (time: string | null | undefined): string =>
  time === null || time === undefined ? '-' : `${time.slice(0, 10)} ${time.slice(11, 16)}`;

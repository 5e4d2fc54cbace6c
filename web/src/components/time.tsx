import { useEffect, useState } from 'react';

const UNITS: readonly [Intl.RelativeTimeFormatUnit, number][] = [
  ['year', 31_557_600_000],
  ['month', 2_629_800_000],
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
  ['second', 1_000],
];
const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
const exact = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeStyle: 'long' });

export function inWords(time: number, now: number): string {
  const distance = time - now;
  // Runways are told in days as long as days are what people plan by.
  const fits = ([unit, ms]: (typeof UNITS)[number]) => Math.abs(distance) >= (unit === 'month' ? 4 * ms : ms);
  const [unit, size] = UNITS.find(fits) ?? UNITS.at(-1)!;
  return relative.format(Math.trunc(distance / size), unit);
}

/** Re-renders every `every` ms, so that relative times stay true on a page that is left open. */
export function useNow(every = 15_000): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), every);
    return () => clearInterval(timer);
  }, [every]);
  return now;
}

/** A relative time, with the exact one on hover, on focus and for screen readers. */
export function Time({ at }: { at: number | string | null | undefined }) {
  const now = useNow();
  if (at === null || at === undefined) return <span className="quiet">–</span>;
  const time = typeof at === 'number' ? at : Date.parse(at);
  return (
    <time dateTime={new Date(time).toISOString()} title={exact.format(time)}>
      {inWords(time, now)}
    </time>
  );
}

/** A time that something waits for: once it is there, it happens any moment. */
export function Coming({ at }: { at: string }) {
  return Date.parse(at) <= useNow() ? <span>any moment</span> : <Time at={at} />;
}

import { type Clock, Fault } from '../../base/index.ts';

const ATTEMPTS = 8;

/**
 * Changes the set of values at one name where an API only replaces whole sets. `swap` says false when the set was
 * changed by somebody else in between; then it is read and changed again, so that no one's value is lost.
 */
export async function changeValues(
  clock: Clock,
  signal: AbortSignal,
  steps: {
    read(): Promise<readonly string[]>;
    change(values: readonly string[]): readonly string[];
    swap(before: readonly string[], after: readonly string[]): Promise<boolean>;
  },
): Promise<void> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const before = await steps.read();
    const after = steps.change(before);
    if (sameValues(before, after)) return;
    if (await steps.swap(before, after)) return;
    await clock.sleep(100 * 2 ** attempt * (0.5 + Math.random()), signal);
  }
  throw new Fault({
    code: 'dns_provider_conflict',
    detail: `the TXT record set was changed by others at each of ${ATTEMPTS} attempts`,
    party: 'dns-provider',
    retry: 'backoff',
  });
}

export const withValue = (value: string) => (values: readonly string[]) =>
  values.includes(value) ? values : [...values, value];
export const withoutValue = (value: string) => (values: readonly string[]) => values.filter((other) => other !== value);

export const sameValues = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && [...a].sort().join('\0') === [...b].sort().join('\0');

/** A TXT value without the quotes, escapes and splits of zone files. */
export function unquoted(text: string): string {
  if (!text.startsWith('"')) return text;
  const strings = [...text.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, inner]) => inner!.replace(/\\(["\\])/g, '$1'));
  return strings.join('');
}

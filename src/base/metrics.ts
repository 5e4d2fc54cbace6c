/** One family of numbers for Prometheus: what it counts, and by what it is divided. */
export interface MetricKind {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly labels: readonly string[];
  readonly help: string;
}
export type MetricKinds = Readonly<Record<string, MetricKind>>;

type OfType<Kinds, Type extends MetricKind['type']> = {
  [Name in keyof Kinds]: Kinds[Name] extends { type: Type } ? Name : never;
}[keyof Kinds] &
  string;
type LabelsOf<Kind> = Kind extends { labels: readonly (infer Label extends string)[] }
  ? Readonly<Record<Label, string>>
  : never;

/** A number of now, asked for when the numbers are read. */
export interface Reading<Labels = Readonly<Record<string, string>>> {
  readonly labels: Labels;
  readonly value: number;
}
export type Readings<Kinds> = {
  readonly [Name in OfType<Kinds, 'gauge'>]: readonly Reading<LabelsOf<Kinds[Name]>>[];
};

/** Counts of this process since it began, one table of kinds a room. */
export interface Metrics<Kinds extends MetricKinds> {
  count<Name extends OfType<Kinds, 'counter'>>(name: Name, labels: LabelsOf<Kinds[Name]>): void;
  /** Seconds. */
  observe<Name extends OfType<Kinds, 'histogram'>>(name: Name, labels: LabelsOf<Kinds[Name]>, seconds: number): void;
  /** Text exposition format 0.0.4, with what the gauges are now. */
  text(readings: Readings<Kinds>): string;
}

/** Upper bounds of histograms in seconds. */
export const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30] as const;

interface Series {
  readonly labels: Readonly<Record<string, string>>;
  value: number;
  readonly buckets: number[];
}

export function createMetrics<const Kinds extends MetricKinds>(kinds: Kinds): Metrics<Kinds> {
  const families = new Map(Object.keys(kinds).map((name) => [name, new Map<string, Series>()]));
  const seriesOf = (name: string, labels: Readonly<Record<string, string>>): Series => {
    const family = families.get(name)!;
    let key = '';
    for (const label of kinds[name]!.labels) key += `${labels[label]}\n`;
    const known = family.get(key);
    if (known !== undefined) return known;
    const series: Series = { labels, value: 0, buckets: [] };
    family.set(key, series);
    return series;
  };
  return {
    count(name, labels) {
      seriesOf(name, labels).value++;
    },
    observe(name, labels, seconds) {
      const series = seriesOf(name, labels);
      series.value += seconds;
      let bucket = 0;
      while (bucket < SECONDS.length && seconds > SECONDS[bucket]!) bucket++;
      series.buckets[bucket] = (series.buckets[bucket] ?? 0) + 1;
    },
    text(readings) {
      const now = readings as Readonly<Record<string, readonly Reading[]>>;
      return Object.entries(kinds)
        .flatMap(([name, { type, help }]) => [
          `# HELP ${name} ${help}`,
          `# TYPE ${name} ${type}`,
          ...(type === 'gauge' ? now[name]! : [...families.get(name)!.values()]).flatMap((one) =>
            type === 'histogram' ? histogramLines(name, one as Series) : [lineOf(name, one.labels, one.value)],
          ),
        ])
        .map((line) => `${line}\n`)
        .join('');
    },
  };
}

function histogramLines(name: string, { labels, value, buckets }: Series): string[] {
  let total = 0;
  const lines = [...SECONDS, '+Inf'].map((bound, index) => {
    total += buckets[index] ?? 0;
    return lineOf(`${name}_bucket`, { ...labels, le: String(bound) }, total);
  });
  return [...lines, lineOf(`${name}_sum`, labels, value), lineOf(`${name}_count`, labels, total)];
}

const lineOf = (name: string, labels: Readonly<Record<string, string>>, value: number): string =>
  `${name}${labelText(Object.entries(labels))} ${value}`;

/** `{name="value",…}` with what the format asks to be escaped. */
export function labelText(labels: readonly (readonly [name: string, value: string])[]): string {
  if (labels.length === 0) return '';
  const escaped = (value: string) => value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
  return `{${labels.map(([name, value]) => `${name}="${escaped(value)}"`).join(',')}}`;
}

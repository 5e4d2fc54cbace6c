/** Numbers of one process by name and labels, plain enough to travel to the supervisor and be added up there. */
export type Labels = readonly (readonly [name: string, value: string])[];

export interface Sample {
  readonly name: string;
  readonly labels: Labels;
  readonly value: number;
}

export interface HistogramSample {
  readonly name: string;
  readonly labels: Labels;
  /** How many fell into each bucket of `bounds`, and last those above all. */
  readonly counts: readonly number[];
  readonly sum: number;
}

export interface Samples {
  readonly counters: readonly Sample[];
  readonly gauges: readonly Sample[];
  readonly histograms: readonly HistogramSample[];
}

/** Upper bounds in seconds. */
export const LATENCY_BOUNDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30] as const;

const keyOf = (name: string, labels: Labels) =>
  `${name}{${labels.map(([label, value]) => `${label}=${value}`).join()}}`;

/** Counters and gauges of several workers are sums. */
export function addSamples(all: readonly Samples[]): Samples {
  return {
    counters: addValues(all.flatMap(({ counters }) => counters)),
    gauges: addValues(all.flatMap(({ gauges }) => gauges)),
    histograms: addHistograms(all.flatMap(({ histograms }) => histograms)),
  };
}

function addValues(samples: readonly Sample[]): Sample[] {
  const sums = new Map<string, Sample>();
  for (const sample of samples) {
    const key = keyOf(sample.name, sample.labels);
    sums.set(key, { ...sample, value: sample.value + (sums.get(key)?.value ?? 0) });
  }
  return [...sums.values()];
}

function addHistograms(samples: readonly HistogramSample[]): HistogramSample[] {
  const sums = new Map<string, HistogramSample>();
  for (const sample of samples) {
    const key = keyOf(sample.name, sample.labels);
    const before = sums.get(key);
    const counts = sample.counts.map((count, i) => count + (before?.counts[i] ?? 0));
    sums.set(key, { ...sample, counts, sum: sample.sum + (before?.sum ?? 0) });
  }
  return [...sums.values()];
}

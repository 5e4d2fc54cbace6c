import type { EdgeNumbers, EdgePort } from '../control/index.ts';
import { renderPrometheus, type Samples } from '../edge/index.ts';

/** How often the supervisor tells the control half what the edge counts. */
export const EDGE_TOLD_EVERY_MS = 5_000;
const KEPT = 60;

export interface EdgeSide extends EdgePort {
  told(samples: Samples, at: number): void;
}

/** What the edge last said of itself; it lives in other processes, and the supervisor passes its numbers on. */
export function createEdgeSide(): EdgeSide {
  const numbers: EdgeNumbers[] = [];
  let last: Samples | undefined;
  return {
    told(samples, at) {
      last = samples;
      numbers.push(readSamples(samples, at));
      if (numbers.length > KEPT) numbers.shift();
    },
    numbers: () => numbers,
    metrics: () => (last === undefined ? '' : renderPrometheus(last)),
  };
}

function readSamples({ counters, gauges }: Samples, at: number): EdgeNumbers {
  const named = (samples: Samples['counters'], name: string) =>
    samples.filter((sample) => sample.name === `gatehouse_edge_${name}`);
  const sum = (samples: Samples['counters']) => samples.reduce((total, { value }) => total + value, 0);
  const label = (sample: Samples['counters'][number], name: string) =>
    sample.labels.find(([key]) => key === name)?.[1] ?? '';
  const requests = named(counters, 'requests_total');
  return {
    at,
    workers: sum(named(gauges, 'workers').filter((sample) => label(sample, 'state') === 'ready')),
    openConnections: sum(named(gauges, 'connections')),
    certificates: sum(named(gauges, 'certificates')),
    requests: sum(requests),
    errors: sum(requests.filter((sample) => Number(label(sample, 'status')) >= 500)),
    handshakesFailed: sum(named(counters, 'handshakes_failed_total')),
    handshakes: named(counters, 'handshakes_total').map((sample) => ({
      version: label(sample, 'version'),
      kind: label(sample, 'kind'),
      group: label(sample, 'group'),
      count: sample.value,
    })),
  };
}

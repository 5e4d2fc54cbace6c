import type { HandshakeObserver, SecuredConnection } from '../listen/observer.ts';
import type { ConnectionInfo, PlaneObserver, RequestRecord, UpstreamState } from '../plane/index.ts';
import { type HistogramSample, LATENCY_BOUNDS, type Sample, type Samples } from './series.ts';

export interface WorkerMetrics {
  readonly plane: PlaneObserver;
  readonly handshakes: HandshakeObserver;
  /** `upstreams` as they are now. */
  samples(upstreams: readonly UpstreamState[]): Samples;
}

/** Numbers of the requests of one listener and protocol: indexed, so that counting makes nothing. */
interface RequestCounts {
  readonly listener: string;
  readonly protocol: string;
  readonly byStatus: number[];
  readonly latency: number[];
  seconds: number;
  requestBytes: number;
  responseBytes: number;
}

export function createWorkerMetrics(): WorkerMetrics {
  const requests = new Map<string, RequestCounts[]>();
  const connections = new Map<string, { open: number; all: number }>();
  const handshakes = new Map<string, { labels: Sample['labels']; count: number }>();
  const failed = new Map<string, number>();
  const refused = new Map<string, number>();
  const raise = (map: Map<string, number>, key: string) => map.set(key, (map.get(key) ?? 0) + 1);

  const countsOf = (record: RequestRecord): RequestCounts => {
    const listener = record.connection.listener.id;
    const ofListener = requests.get(listener) ?? [];
    const known = ofListener.find(({ protocol }) => protocol === record.protocol);
    if (known !== undefined) return known;
    const counts = newCounts(listener, record.protocol);
    requests.set(listener, [...ofListener, counts]);
    return counts;
  };
  const plane: PlaneObserver = {
    request(record) {
      const counts = countsOf(record);
      const seconds = record.durationMs / 1000;
      counts.byStatus[record.status] = (counts.byStatus[record.status] ?? 0) + 1;
      counts.seconds += seconds;
      counts.requestBytes += record.requestBytes;
      counts.responseBytes += record.responseBytes;
      let bucket = 0;
      while (bucket < LATENCY_BOUNDS.length && seconds > LATENCY_BOUNDS[bucket]!) bucket++;
      counts.latency[bucket]!++;
    },
    connection(change: 'opened' | 'closed', { listener }: ConnectionInfo) {
      const counts = connections.get(listener.id) ?? { open: 0, all: 0 };
      connections.set(listener.id, counts);
      if (change === 'opened') counts.all++;
      counts.open += change === 'opened' ? 1 : -1;
    },
    refused: (reason) => void raise(refused, reason),
  };

  return {
    plane,
    handshakes: {
      completed(socket, group) {
        const key = handshakeKey(socket, group);
        const known = handshakes.get(key);
        if (known !== undefined) known.count++;
        else handshakes.set(key, { labels: handshakeLabels(key), count: 1 });
      },
      failed: (reason) => void raise(failed, reason),
    },
    samples: (upstreams) => ({
      counters: [
        ...[...requests.values()].flat().flatMap(requestSamples),
        ...[...connections].map(([id, { all }]) => sample('connections_total', [['listener', id]], all)),
        ...[...handshakes.values()].map(({ labels, count }) => sample('handshakes_total', labels, count)),
        ...[...failed].map(([reason, n]) => sample('handshakes_failed_total', [['reason', reason]], n)),
        ...[...refused].map(([reason, n]) => sample('refused_total', [['reason', reason]], n)),
      ],
      gauges: [
        ...[...connections].map(([id, { open }]) => sample('connections', [['listener', id]], open)),
        ...healthOf(upstreams),
      ],
      histograms: [...requests.values()].flat().map(latencySample),
    }),
  };
}

/** One URL may be reached in several ways (CA, PROXY header): it is well when all are. */
function healthOf(upstreams: readonly UpstreamState[]): Sample[] {
  const byUrl = new Map<string, boolean>();
  for (const { url, healthy } of upstreams) byUrl.set(url, healthy && byUrl.get(url) !== false);
  return [...byUrl].map(([url, healthy]) => sample('upstream_healthy', [['upstream', url]], healthy ? 1 : 0));
}

const sample = (name: string, labels: Sample['labels'], value: number): Sample => ({
  name: `gatehouse_edge_${name}`,
  labels,
  value,
});

const newCounts = (listener: string, protocol: string): RequestCounts => ({
  listener,
  protocol,
  byStatus: [],
  latency: Array<number>(LATENCY_BOUNDS.length + 1).fill(0),
  seconds: 0,
  requestBytes: 0,
  responseBytes: 0,
});

function requestSamples(counts: RequestCounts): Sample[] {
  const labels: Sample['labels'] = [
    ['listener', counts.listener],
    ['protocol', counts.protocol],
  ];
  const samples = [
    sample('request_bytes_total', labels, counts.requestBytes),
    sample('response_bytes_total', labels, counts.responseBytes),
  ];
  counts.byStatus.forEach((count, status) => {
    // 0: the client left before an answer; 499 is what nginx made known for it.
    samples.push(sample('requests_total', [...labels, ['status', String(status === 0 ? 499 : status)]], count));
  });
  return samples;
}

const latencySample = ({ listener, latency, seconds }: RequestCounts): HistogramSample => ({
  name: 'gatehouse_edge_request_duration_seconds',
  labels: [['listener', listener]],
  counts: [...latency],
  sum: seconds,
});

function handshakeKey(socket: SecuredConnection, group: string): string {
  const resumed = socket.isSessionReused();
  return `${socket.getProtocol() ?? 'unknown'} ${resumed ? 'resumed' : 'full'} ${group}`;
}

function handshakeLabels(key: string): Sample['labels'] {
  const [version = '', kind = '', group = ''] = key.split(' ');
  return [
    ['version', version],
    ['kind', kind],
    ['group', group],
  ];
}

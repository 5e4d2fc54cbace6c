import type { EdgeTraffic } from '../contract/system.ts';
import { time } from './documents.ts';
import type { EdgeNumbers } from './ports/index.ts';

/** Rates between the times at which counters were read; one that went back was of a worker that was replaced. */
export function edgeTraffic(numbers: readonly EdgeNumbers[]): EdgeTraffic | null {
  const last = numbers.at(-1);
  if (last === undefined) return null;
  return {
    at: time(last.at),
    workers: last.workers,
    open_connections: last.openConnections,
    certificates: last.certificates,
    handshakes: last.handshakes.map((each) => ({ ...each })),
    handshakes_failed: last.handshakesFailed,
    points: numbers.slice(1).map((to, i) => pointBetween(numbers[i]!, to)),
  };
}

function pointBetween(from: EdgeNumbers, to: EdgeNumbers): EdgeTraffic['points'][number] {
  const seconds = Math.max(0.001, (to.at - from.at) / 1000);
  const rate = (count: (numbers: EdgeNumbers) => number) =>
    Math.round((Math.max(0, count(to) - count(from)) / seconds) * 10) / 10;
  const handshakes = (numbers: EdgeNumbers) => numbers.handshakes.reduce((sum, { count }) => sum + count, 0);
  return {
    at: time(to.at),
    requests_per_second: rate(({ requests }) => requests),
    handshakes_per_second: rate(handshakes),
    errors_per_second: rate(({ errors }) => errors),
  };
}

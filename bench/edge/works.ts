import { ab, h2load, script, wrk } from './generators.ts';
import { memory, memoryAfterUse } from './memory.ts';
import { BOTH_CORES, SERVER_CORE } from './processes.ts';
import { startWithManyCertificates } from './start.ts';
import type { Load, Needs, Outcome, Work } from './work.ts';

const throughput = (name: string, says: string, load: Load, needs: Needs = {}, unit = 'requests/s'): Work => ({
  name,
  says,
  unit,
  better: 'higher',
  measure: (bench, server) => bench.withServer(server, needs, (running) => running.under(load)),
});

const CLOSE = { headers: ['Connection: close'] };

/** Requests a second with server, load and backend together on one core, then on two: how much the second one brings. */
const twoCores: Work = {
  name: 'two-cores',
  says: 'HTTP/1.1, 1 KiB: server, load and backend together on two cores, over the same on one',
  unit: 'times one core',
  better: 'higher',
  async measure(bench, server) {
    const one = await bench.withServer(server, { together: 1 }, (running) =>
      running.under(wrk('/1k', { cores: SERVER_CORE })),
    );
    const two = await bench.withServer(server, { together: 2 }, (running) =>
      running.under(wrk('/1k', { cores: BOTH_CORES })),
    );
    const each = ({ value }: Outcome) => value.toFixed(0);
    return {
      ...two,
      value: two.value / one.value,
      note: `${each(one)} and ${each(two)} requests/s`,
      p99Ms: undefined,
      loadBusy: undefined,
    };
  },
};

const latency: Work = {
  name: 'latency',
  says: "p99 of HTTP/1.1, 1 KiB, 64 connections, requests at a fixed rate of half of Caddy's peak",
  unit: 'ms',
  better: 'lower',
  async measure(bench, server) {
    const peak = await bench.once("Caddy's peak", async () => {
      const measured = await bench.withServer('caddy', {}, (running) => running.under(wrk('/1k')));
      return measured.value;
    });
    const rate = Math.round(peak / 2);
    const measured = await bench.withServer(server, {}, (running) => running.under(script('open-loop.ts', 64, rate)));
    return { ...measured, value: measured.p99Ms ?? Number.NaN, p99Ms: undefined, note: `${rate} requests/s` };
  },
};

export const WORKS: readonly Work[] = [
  throughput('h1-1k', 'HTTPS, HTTP/1.1 keep-alive, 64 connections, 1 KiB', wrk('/1k')),
  throughput('h1-64k', 'the same, 64 KiB', wrk('/64k')),
  throughput('h1-1m', 'the same, 1 MiB', wrk('/1m')),
  throughput(
    'upload-1m',
    'HTTPS, HTTP/1.1, 16 connections that send 1 MiB to a backend that reads it',
    wrk('/', { connections: 16, script: 'upload.lua' }),
    { upstream: 'echo' },
  ),
  throughput('h2', 'HTTP/2, 32 streams on each of 16 connections, 1 KiB', h2load('/1k', ['-c16', '-m32'])),
  throughput(
    'h2c',
    'HTTP/2 to h2c upstream, 100 streams on each of 4 connections, small answers',
    h2load('/grpc', ['-c4', '-m100', '-H', 'content-type: application/grpc']),
    { upstream: 'h2c' },
  ),
  throughput('full', 'a new TLS 1.3 connection for each request, full handshake', ab('/1k')),
  throughput('resumed', 'the same, resumed', wrk('/1k', CLOSE)),
  throughput(
    'tickets-once',
    'share of connections resumed, for a client that uses each ticket once',
    script('tickets-once.ts', 32),
    {},
    '% resumed',
  ),
  latency,
  throughput(
    'websocket',
    'WebSocket echoes, 1,000 connections, 64 octets',
    script('websocket-load.ts', 1_000),
    { upstream: 'echo' },
    'messages/s',
  ),
  twoCores,
  memory('memory', 'memory after the start, one certificate', 1),
  memory('memory-10k', 'memory after the start, 10,000 certificates', 10_000),
  memoryAfterUse('memory-10k-used', 'the same after a handshake for each of them', 10_000),
  startWithManyCertificates,
];

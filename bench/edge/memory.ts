import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { connect } from 'node:tls';
import { memoryMb } from './processes.ts';
import type { Bench, Measured, RunningServer, Work } from './work.ts';

const SETTLE_MS = 2_000;
const AT_ONCE = 16;

const measureMemory =
  (use: (server: RunningServer, bench: Bench) => Promise<void>, certificates: number): Work['measure'] =>
  (bench, name) =>
    bench.withServer(name, { certificates }, async (server): Promise<Measured> => {
      await use(server, bench);
      await delay(SETTLE_MS);
      const { resident, proportional } = memoryMb(server.pid);
      const note = `resident with shared pages in each process ${resident.toFixed(0)} MB, start ${server.startMs.toFixed(0)} ms`;
      return { value: proportional, note };
    });

/** Pages that several processes map are shared among them, so that a supervisor's and a worker's program count once. */
export const memory = (name: string, says: string, certificates: number): Work => ({
  name,
  says,
  unit: 'MB',
  better: 'lower',
  rounds: 1,
  measure: measureMemory(async () => {}, certificates),
});

export const memoryAfterUse = (name: string, says: string, certificates: number): Work => ({
  ...memory(name, says, certificates),
  measure: measureMemory(async ({ port }, bench) => {
    const waiting = bench.certificates(certificates).map(({ names }) => names[0]!);
    const visit = async () => {
      for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
        const servername = /^[\d.]+$/.test(name) ? {} : { servername: name };
        const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...servername });
        await once(socket, 'secureConnect');
        socket.end();
        socket.resume();
        await once(socket, 'close');
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, visit));
  }, certificates),
});

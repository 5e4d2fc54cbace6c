// One edge worker: a process that listens on inherited sockets and serves what the picture says, for as long as it
// runs, whether or not anyone is left to write the picture.
import { createLogger, systemClock } from '../base/index.ts';
import { runChild } from '../process/index.ts';
import { createWorker } from './create-worker.ts';
import type { ToWorker, WorkerInit } from './worker-wire.ts';

runChild({
  clock: systemClock,
  // Long enough for a new supervisor to come, and for its workers to take the ports over.
  orphanGraceMs: 30_000,
  orphanDrainMs: 30_000,
  async start(init, parent) {
    const options = init as WorkerInit;
    const log = createLogger(options.log).child({ worker: options.slot });
    const worker = await createWorker(options, { clock: systemClock, log, tell: parent.send });
    return {
      ready: { pid: process.pid },
      message: (body, handle) => worker.told(body as ToWorker, handle),
      drain: worker.drain,
    };
  },
});

// The control half's process: everything but the edge. It is started by the supervisor of `gatehouse up`, and started
// again when it ends; the edge does not notice.
import { createLogger, systemClock } from '../base/index.ts';
import { runChild } from '../process/index.ts';
import type { ControlStart } from './control-start.ts';
import { startControlHalf } from './start-control-half.ts';

runChild({
  clock: systemClock,
  // Without its supervisor it has no purpose; a new supervisor starts a new one.
  orphanGraceMs: 0,
  orphanDrainMs: 5_000,
  start: (init, parent) => {
    const start = init as ControlStart;
    const { level, format } = start.config.log;
    const pretty = format === 'auto' ? process.stderr.isTTY : format === 'pretty';
    return startControlHalf(start, createLogger({ level, pretty }), parent.send);
  },
});

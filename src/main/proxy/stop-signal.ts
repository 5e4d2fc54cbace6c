import type { Logger } from '../../base/index.ts';

export interface StopSignal {
  readonly wanted: Promise<void>;
  now(reason: string): void;
  asked(): boolean;
}

/** SIGTERM or SIGINT, or being asked; a second signal ends the process at once. */
export function stopSignal(log: Logger): StopSignal {
  let asked = false;
  let resolve = () => {};
  const wanted = new Promise<void>((done) => {
    resolve = done;
  });
  const now = (reason: string) => {
    if (asked) return;
    asked = true;
    log.info({ reason }, 'the proxy stops; a second signal stops it at once');
    resolve();
  };
  const onSignal = (signal: NodeJS.Signals) => (asked ? process.exit(1) : now(signal));
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return { wanted, now, asked: () => asked };
}

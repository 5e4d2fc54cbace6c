import type { Server } from 'node:http';
import { errorText, Fault, faultOf, type Logger } from '../../base/index.ts';
import type { RunningProxy } from '../../edge/index.ts';
import { startSuccessor } from '../successor.ts';
import { type LoadedProxy, placed } from './load-proxy-config.ts';
import type { StopSignal } from './stop-signal.ts';

export interface ActionDeps {
  /** Reads the file again; throws the `Fault` for which it cannot be used. */
  load(): Promise<LoadedProxy>;
  readonly first: LoadedProxy;
  readonly proxy: RunningProxy;
  readonly stop: StopSignal;
  /** For operators; closed when a new process takes over, which wants their places. */
  readonly servers: readonly Server[];
  /** What this process was started with, after `gatehouse proxy`. */
  readonly argv: readonly string[];
  readonly log: Logger;
}

/** What a signal or the admin socket may ask for, one after another, each with an answer of its own. */
export interface Actions {
  /** The configuration that runs. */
  current(): LoadedProxy;
  reload(): Promise<void>;
  upgrade(): Promise<void>;
}

export function createActions({ load, first, proxy, stop, servers, argv, log }: ActionDeps): Actions {
  let current = first;
  let last: Promise<void> = Promise.resolve();
  const serially = (work: () => Promise<void>) => () => {
    last = last.catch(() => {}).then(work);
    return last;
  };
  return {
    current: () => current,
    reload: serially(async () => {
      const next = await load();
      await proxy.reload(next.plan).catch((error: unknown) => {
        throw placed(faultOf(error), next.place);
      });
      current = next;
      log.info({}, 'the configuration was read again');
    }),
    upgrade: serially(async () => {
      if (stop.asked()) throw new Fault({ code: 'stopping', detail: 'it stops already', party: 'us', retry: 'never' });
      // What is wrong with the file shows before anything is let go of.
      await load();
      const { sockets, tickets, releaseCaches: letGo, takeCaches: takeBack } = proxy;
      const pid = await startSuccessor({ command: 'proxy', argv, sockets, tickets, letGo, takeBack }, log);
      for (const server of servers) server.close();
      stop.now(`process ${pid} has taken over`);
    }),
  };
}

/** SIGHUP and SIGUSR2; what they could not do is in the log. */
export function actOnSignals({ reload, upgrade }: Actions, log: Logger): void {
  const onSignal = (signal: NodeJS.Signals, act: () => Promise<void>) =>
    process.on(signal, () => {
      act().catch((error: unknown) => log.error({ signal }, `the running configuration stays: ${errorText(error)}`));
    });
  onSignal('SIGHUP', reload);
  onSignal('SIGUSR2', upgrade);
}

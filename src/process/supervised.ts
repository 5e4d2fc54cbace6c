import type { SendHandle } from 'node:child_process';
import type { Clock, Environment, Logger } from '../base/index.ts';
import { errorText } from '../base/index.ts';
import { type Child, startChild } from './child.ts';
import { planRestart } from './plan-restart.ts';

export interface ChildSpec {
  /** For log lines: `edge worker 1`. */
  readonly name: string;
  /** The module that the child runs; it calls `runChild`. */
  readonly entry: URL;
  readonly nodeArguments?: readonly string[];
  /** Nothing is inherited by itself, since the parent's environment may hold secrets. */
  readonly env?: Environment;
  /** Open descriptors at each start, that the child inherits as `FIRST_INHERITED_FD` and on, in this order. */
  readonly fds?: readonly number[];
  /** Told to the child over IPC at each start, so it may hold keys. */
  init(): unknown;
  /** 30 s when absent. */
  readonly readyWithinMs?: number;
  onMessage?(body: unknown): void;
  /** A run became ready: the first, a restarted or a replacing one. */
  onReady?(body: unknown): void;
  onEnd?(how: string, pid: number): void;
}

export interface SupervisedDeps {
  readonly clock: Clock;
  readonly log: Logger;
}

export type ChildState =
  | { readonly status: 'starting'; readonly pid: number }
  | { readonly status: 'ready'; readonly pid: number; readonly since: number; readonly restarts: number }
  | { readonly status: 'waiting'; readonly until: number; readonly reason: string }
  | { readonly status: 'stopped' };

/** A child that is wanted until it is stopped: when it ends, it is started again. */
export interface Supervised {
  /** What the first run said when ready; rejects when the first run does not get there, and nothing is retried then. */
  readonly firstReady: Promise<unknown>;
  state(): ChildState;
  send(body: unknown, handle?: SendHandle): void;
  /** Starts a successor, waits until it is ready, then drains the old one. The old one stays when this rejects. */
  replace(deadlineMs: number): Promise<void>;
  /** Drains, and kills what is left after `deadlineMs` and a little. */
  stop(deadlineMs: number): Promise<void>;
}

// A small machine that is busy with something else may need a minute.
const READY_WITHIN_MS = 120_000;
const KILL_AFTER_MS = 2_000;

export function createSupervised(spec: ChildSpec, deps: SupervisedDeps): Supervised {
  const { clock, log } = deps;
  const stopping = new AbortController();
  const draining = new Set<Promise<unknown>>();
  let current: Child | undefined;
  let state: ChildState = { status: 'stopped' };
  let failures = 0;
  let restarts = 0;

  const start = () =>
    startChild({
      name: spec.name,
      entry: spec.entry,
      nodeArguments: spec.nodeArguments ?? [],
      env: spec.env ?? {},
      fds: spec.fds ?? [],
      init: spec.init(),
      readyWithinMs: spec.readyWithinMs ?? READY_WITHIN_MS,
      onMessage: (body) => spec.onMessage?.(body),
    });
  const adopt = async (child: Child): Promise<unknown> => {
    current = child;
    const startedAt = clock.now();
    void child.ended.then((how) => onEnd(child, how, startedAt));
    const body = await child.ready;
    if (current === child) state = { status: 'ready', pid: child.pid, since: clock.now(), restarts };
    spec.onReady?.(body);
    return body;
  };
  const onEnd = (child: Child, how: string, startedAt: number) => {
    spec.onEnd?.(how, child.pid);
    if (current !== child || stopping.signal.aborted) return;
    const plan = planRestart({ startedAt, endedAt: clock.now() }, failures);
    failures = plan.failures;
    state = { status: 'waiting', until: clock.now() + plan.waitMs, reason: how };
    if (settled) restart(plan.waitMs, how).catch(() => {});
  };
  const restart = async (waitMs: number, how: string) => {
    log.error({ child: spec.name, waitMs }, `${spec.name} ${how}; it is started again`);
    await clock.sleep(waitMs, stopping.signal);
    restarts++;
    const child = start();
    state = { status: 'starting', pid: child.pid };
    await adopt(child).catch((error: unknown) => log.error({ child: spec.name }, errorText(error)));
  };
  const drain = async (child: Child, deadlineMs: number) => {
    child.send({ type: 'drain', deadlineMs });
    const done = new AbortController();
    const kill = clock.sleep(deadlineMs + KILL_AFTER_MS, done.signal).then(
      () => child.kill('SIGKILL'),
      () => {},
    );
    await child.ended;
    done.abort();
    await kill;
  };

  let settled = false;
  const first = start();
  state = { status: 'starting', pid: first.pid };
  const firstReady = adopt(first).then((body) => {
    settled = true;
    return body;
  });
  firstReady.catch(() => {
    first.kill('SIGKILL');
    state = { status: 'stopped' };
  });

  return {
    firstReady,
    state: () => state,
    send: (body, handle) => current?.send({ type: 'message', body }, handle),
    async replace(deadlineMs) {
      const old = current;
      const child = start();
      try {
        await child.ready;
      } catch (error) {
        child.kill('SIGKILL');
        throw error;
      }
      await adopt(child);
      if (old === undefined) return;
      const drained = drain(old, deadlineMs);
      draining.add(drained);
      void drained.finally(() => draining.delete(drained));
    },
    async stop(deadlineMs) {
      stopping.abort(new Error('stopped'));
      const child = current;
      current = undefined;
      state = { status: 'stopped' };
      await Promise.all([child === undefined ? undefined : drain(child, deadlineMs), ...draining]);
    },
  };
}

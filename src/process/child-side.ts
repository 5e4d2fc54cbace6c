import { type Clock, faultOf } from '../base/index.ts';
import type { FromChild, ToChild } from './wire.ts';

/** The way back to the parent. */
export interface ParentLink {
  send(body: unknown): void;
  /** Whether the parent is still there; when it is gone the child drains by itself after its grace. */
  connected(): boolean;
}

export interface RunningChild {
  /** Told to the parent; the child serves when this is returned. */
  readonly ready: unknown;
  message?(body: unknown, handle: unknown): void;
  /** Resolves when nothing is left to do, at the latest after `deadlineMs`; the process ends then. */
  drain(deadlineMs: number): Promise<void>;
}

export interface ChildProgram {
  start(init: unknown, parent: ParentLink): Promise<RunningChild>;
  /** How long the child goes on when its parent is gone, so that a new parent can take over first. */
  readonly orphanGraceMs: number;
  readonly orphanDrainMs: number;
  readonly clock: Clock;
}

/**
 * Runs a program as the child of a supervisor. Its signals: SIGTERM drains; SIGINT and SIGHUP, which a terminal sends
 * to the whole group, are the supervisor's to act on.
 */
export function runChild(program: ChildProgram): void {
  const send = (message: FromChild, sent = () => {}) => {
    if (process.connected) process.send?.(message, undefined, undefined, sent);
    else sent();
  };
  let running: RunningChild | undefined;
  let ending = false;
  const end = async (deadlineMs: number) => {
    if (ending) return;
    ending = true;
    await running?.drain(deadlineMs).catch(() => {});
    process.exit(0);
  };
  process.on('SIGINT', () => {});
  process.on('SIGHUP', () => {});
  process.on('SIGTERM', () => void end(program.orphanDrainMs));
  process.on('disconnect', () => {
    program.clock.sleep(program.orphanGraceMs).then(
      () => end(program.orphanDrainMs),
      () => process.exit(1),
    );
  });
  const begin = async (init: unknown) => {
    running = await program.start(init, {
      send: (body) => send({ type: 'message', body }),
      connected: () => process.connected,
    });
    send({ type: 'ready', body: running.ready });
  };
  process.on('message', (message: ToChild, handle: unknown) => {
    if (message.type === 'message') running?.message?.(message.body, handle);
    else if (message.type === 'drain') void end(message.deadlineMs);
    else
      begin(message.init).catch((error: unknown) => {
        send({ type: 'failed', fault: faultOf(error).details }, () => process.exit(1));
      });
  });
}

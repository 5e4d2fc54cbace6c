import { type ChildProcess, type SendHandle, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type Environment, Fault, faultOf } from '../base/index.ts';
import type { FromChild, ToChild } from './wire.ts';

export interface ChildOptions {
  readonly name: string;
  readonly entry: URL;
  readonly nodeArguments: readonly string[];
  readonly env: Environment;
  readonly fds: readonly number[];
  readonly init: unknown;
  readonly readyWithinMs: number;
  onMessage(body: unknown): void;
}

/** One process, from its start to its end. */
export interface Child {
  readonly pid: number;
  /** What the child said when it was ready; rejects with a `Fault` when it fails or ends before. */
  readonly ready: Promise<unknown>;
  /** Resolves with the words for how it ended; never rejects. */
  readonly ended: Promise<string>;
  /** A handle is open in both afterwards. */
  send(message: ToChild, handle?: SendHandle): void;
  kill(signal: NodeJS.Signals): void;
}

export function startChild(options: ChildOptions): Child {
  const process_ = spawn(process.execPath, [...options.nodeArguments, fileURLToPath(options.entry)], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc', ...options.fds],
    // Structured clones, so that keys travel as bytes.
    serialization: 'advanced',
    env: { ...options.env },
  });
  const ended = endOf(process_);
  const ready = readinessOf(process_, options, ended);
  // Whoever waits for readiness sees the rejection; nobody has to.
  ready.catch(() => {});
  const send = (message: ToChild, handle?: SendHandle) => {
    if (process_.connected) process_.send(message, handle, { keepOpen: true }, () => {});
  };
  send({ type: 'start', init: options.init });
  return { pid: process_.pid ?? -1, ready, ended, send, kill: (signal) => void process_.kill(signal) };
}

function endOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(`could not be started: ${error.message}`));
    child.once('exit', (code, signal) => resolve(signal === null ? `exited with ${code}` : `was ended by ${signal}`));
  });
}

function readinessOf(child: ChildProcess, options: ChildOptions, ended: Promise<string>): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const fail = (detail: string) =>
      reject(new Fault({ code: 'process_failed', detail: `${options.name} ${detail}`, party: 'us', retry: 'backoff' }));
    const late = setTimeout(() => {
      fail(`was not ready after ${options.readyWithinMs} ms`);
      child.kill('SIGKILL');
    }, options.readyWithinMs);
    child.on('message', (message: FromChild) => {
      if (message.type === 'message') options.onMessage(message.body);
      else {
        clearTimeout(late);
        if (message.type === 'ready') resolve(message.body);
        else reject(new Fault(message.fault));
      }
    });
    ended.then(
      (how) => {
        clearTimeout(late);
        fail(`${how} before it was ready`);
      },
      (error: unknown) => reject(faultOf(error)),
    );
  });
}

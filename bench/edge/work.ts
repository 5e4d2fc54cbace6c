import type { Running } from './processes.ts';
import type { ServerName } from './servers/index.ts';
import type { CertificateFiles, Setting } from './servers/setting.ts';

/** What one run says. */
export interface Outcome {
  readonly value: number;
  /** Requests, connections or messages in all, for processor time each; absent where there is none. */
  readonly count?: number;
  readonly failed?: number;
  readonly p99Ms?: number;
  readonly note?: string;
}

/** `begun` is called when the counting begins, if that is later than the call. */
export type Load = (port: number, seconds: number, begun: () => void) => Promise<Outcome>;

export interface Measured extends Outcome {
  /** Microseconds of the server's processor time for each request: what is left of a ratio on a busy machine. */
  readonly cpuUs?: number;
  /** How much of the load's core was used, by anybody, 0 to 1. */
  readonly loadBusy?: number;
}

export interface Needs {
  readonly upstream?: Setting['upstream'];
  readonly certificates?: number;
  /** Everything, server, load and backend, on this many cores; apart when absent. */
  readonly together?: 1 | 2;
}

/** What a work has at hand. */
export interface Bench {
  readonly seconds: number;
  /** The first is for 127.0.0.1. */
  certificates(count: number): readonly CertificateFiles[];
  withServer<T>(name: ServerName, needs: Needs, use: (server: RunningServer) => Promise<T>): Promise<T>;
  /** URL of the backend that answers over HTTP/1.1. */
  upstream(): Promise<string>;
  /** Does something once for all rounds and servers. */
  once(key: string, make: () => Promise<number>): Promise<number>;
}

export interface RunningServer extends Running {
  readonly port: number;
  /** Runs a load after three seconds of it to warm up, and adds what it cost. */
  under(load: Load): Promise<Measured>;
}

export interface Work {
  readonly name: string;
  readonly says: string;
  readonly unit: string;
  readonly better: 'higher' | 'lower';
  readonly rounds?: number;
  readonly servers?: readonly ServerName[];
  /** Throws when the server cannot do it; undefined when it is not made for it. */
  measure(bench: Bench, server: ServerName): Promise<Measured | undefined>;
}

/** The server cannot do this work at all, which is no failure. */
export class CannotDo extends Error {}

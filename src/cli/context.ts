import type { Command } from 'commander';
import { type Environment, systemClock } from '../base/index.ts';
import { type Client, createClient } from './client.ts';
import { type ConnectionOptions, findConnection } from './connection.ts';
import { createOutput, type Output, type Streams } from './output.ts';

/** What a command's action works with. */
export interface Context {
  readonly env: Environment;
  readonly output: Output;
  readonly client: Client;
  readonly dataDir: string | undefined;
  /** Ms since the epoch; the command line is where a person's clock comes in. */
  readonly now: () => number;
}

export interface GlobalOptions extends ConnectionOptions {
  readonly json?: boolean;
}

/** Wraps an action: options of the whole program become output and client. */
export type Act = <A extends unknown[]>(
  action: (context: Context, ...rest: A) => Promise<void>,
) => (this: Command, ...rest: A) => Promise<void>;

export function createAct(env: Environment, streams: Streams): Act {
  return (action) =>
    async function (this: Command, ...rest) {
      const options = this.optsWithGlobals<GlobalOptions>();
      let client: Client | undefined;
      await action(
        {
          env,
          output: createOutput(options.json === true, env, streams),
          dataDir: options.dataDir,
          now: systemClock.now,
          // Looked for when it is first used: what needs no server works without one.
          get client() {
            client ??= createClient(findConnection(options, env));
            return client;
          },
        },
        ...rest,
      );
    };
}

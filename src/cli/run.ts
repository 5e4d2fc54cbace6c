import { CommanderError } from 'commander';
import { type Environment, errorText } from '../base/index.ts';
import { CommandFailure, EXIT } from './failure.ts';
import { createOutput, type Streams } from './output.ts';
import { createProgram } from './program.ts';

/** Runs `gatehouse <argv>`; answers the exit code. `argv` begins with the first word after the program's name. */
export async function runCli(argv: readonly string[], env: Environment, streams: Streams = process): Promise<number> {
  const json = argv.includes('--json');
  const output = createOutput(json, env, streams);
  try {
    await createProgram(env, streams).parseAsync(argv, { from: 'user' });
    return EXIT.done;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    if (!(error instanceof CommandFailure)) {
      streams.stderr.write(`${output.bad('error:')} ${errorText(error)}\n`);
      return EXIT.failed;
    }
    if (json && error.problem !== undefined) streams.stderr.write(`${JSON.stringify(error.problem, null, 2)}\n`);
    else {
      streams.stderr.write(`${output.bad('error:')} ${error.message}\n`);
      if (error.advice !== undefined) streams.stderr.write(`  ${error.advice}\n`);
    }
    return error.exitCode;
  }
}

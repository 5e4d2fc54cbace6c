import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import { Fault } from '../base/index.ts';

/** Every command that runs here takes these two. */
const COMMON = { json: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } } as const;

type Read<T extends ParseArgsOptionsConfig> = ReturnType<
  typeof parseArgs<{ args: string[]; allowPositionals: true; options: T & typeof COMMON }>
>;

/**
 * Reads what follows a command that runs here: its options, and at most `positionals` words beside them. `undefined` when
 * --help was asked for, which is printed. Throws `Fault` `usage` with the command's --help as advice.
 */
export function readArguments<const T extends ParseArgsOptionsConfig>(
  command: string,
  help: string,
  argv: readonly string[],
  options: T,
  positionals = 0,
): Read<T> | undefined {
  const read = parsed(command, argv, options);
  if ((read.values as { help?: boolean }).help === true) {
    process.stdout.write(help);
    return undefined;
  }
  const surplus = read.positionals[positionals];
  if (surplus !== undefined) throw usage(command, `it is not clear what ${JSON.stringify(surplus)} means here`);
  return read;
}

function parsed<T extends ParseArgsOptionsConfig>(command: string, argv: readonly string[], options: T): Read<T> {
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true as const,
      options: { ...COMMON, ...options },
    }) as Read<T>;
  } catch (error) {
    // What Node adds is about words that begin with a dash, which none here does.
    throw usage(command, (error as Error).message.split(/\. |\n/)[0]!, error);
  }
}

/** A command line that cannot be meant. */
export const usage = (command: string, detail: string, cause?: unknown): Fault =>
  new Fault({ code: 'usage', detail, party: 'operator', retry: 'never', advice: `gatehouse ${command} --help` }, cause);

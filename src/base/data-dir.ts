import { join } from 'node:path';

/** The variables that say where a person's data lives; an argument, so that only main reads the real ones. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The data directory: GATEHOUSE_DATA_DIR, else under XDG_DATA_HOME (XDG Base Directory Specification), else under the
 * home directory; a relative XDG_DATA_HOME is no value, as that specification says.
 */
export function dataDirectory(env: Environment, named?: string): string {
  if (named !== undefined && named !== '') return named;
  if (env.GATEHOUSE_DATA_DIR !== undefined && env.GATEHOUSE_DATA_DIR !== '') return env.GATEHOUSE_DATA_DIR;
  const shared = env.XDG_DATA_HOME?.startsWith('/') ? env.XDG_DATA_HOME : join(env.HOME ?? '.', '.local', 'share');
  return join(shared, 'gatehouse');
}

/** Where `gatehouse up` leaves, for the command line of the same person, the API's address and a token (mode 0600). */
export const cliFile = (directory: string): string => join(directory, 'cli.json');

export interface CliFile {
  /** Base URL of the API, with no path: `http://127.0.0.1:8088`. */
  readonly api: string;
  readonly token: string;
}

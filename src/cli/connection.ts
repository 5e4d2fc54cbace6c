import { readFileSync } from 'node:fs';
import { type CliFile, cliFile, dataDirectory, type Environment } from '../base/index.ts';
import { CommandFailure, EXIT } from './failure.ts';

export interface ConnectionOptions {
  readonly apiUrl?: string;
  readonly token?: string;
  readonly dataDir?: string;
}

/** Where the API is and which token to show: options, then environment, then what `gatehouse up` left for this user. */
export function findConnection(options: ConnectionOptions, env: Environment): CliFile {
  const directory = dataDirectory(env, options.dataDir);
  const api = options.apiUrl ?? env.GATEHOUSE_API_URL;
  const token = options.token ?? env.GATEHOUSE_TOKEN;
  const left = api !== undefined && token !== undefined ? undefined : readLeft(cliFile(directory));
  const found = {
    api: api ?? left?.api,
    token: token ?? (api === undefined || api === left?.api ? left?.token : undefined),
  };
  if (found.api === undefined)
    throw new CommandFailure(`no server is known: ${cliFile(directory)} is not there`, {
      exitCode: EXIT.unreachable,
      advice:
        'start one with "gatehouse up", or name one with --api-url and --token (GATEHOUSE_API_URL, GATEHOUSE_TOKEN)',
    });
  if (URL.parse(found.api) === null)
    throw new CommandFailure(`${found.api} is no URL`, { exitCode: EXIT.usage, advice: 'give it as http://host:port' });
  if (found.token === undefined)
    throw new CommandFailure(`no token is known for ${found.api}`, {
      exitCode: EXIT.notAllowed,
      advice: 'give one with GATEHOUSE_TOKEN or --token',
    });
  return { api: found.api.replace(/\/+$/, ''), token: found.token };
}

function readLeft(path: string): CliFile | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    throw new CommandFailure(`${path} cannot be read: ${(error as Error).message}`, { exitCode: EXIT.notAllowed });
  }
  try {
    return JSON.parse(text) as CliFile;
  } catch {
    throw new CommandFailure(`${path} is damaged`, { advice: 'restart "gatehouse up", which writes it again' });
  }
}

import { parseDocument } from 'yaml';
import { faultOf, parsePlacedConfig } from '../base/index.ts';
import { ProxyConfig } from '../edge/index.ts';
import { readArguments, usage } from './arguments.ts';
import { tryCertificateFiles } from './certificates-config.ts';
import { loadUpConfig, readConfigFile, UpConfig } from './config.ts';
import { loadProxyConfig, placed } from './proxy/load-proxy-config.ts';

type Check = (file: string, env: NodeJS.ProcessEnv) => unknown | Promise<unknown>;

/** What reads a file of ours, and the schema of every key in it. */
const KINDS: Readonly<Record<string, { schema: object; check: Check }>> = {
  up: { schema: UpConfig, check: checkUp },
  proxy: { schema: ProxyConfig, check: loadProxyConfig },
};

const HELP = `Usage: gatehouse config check FILE [--kind up|proxy]   try a file without starting anything
       gatehouse config schema [up|proxy]              print the JSON Schema of every key

"up" is for gatehouse up --config, "proxy" for gatehouse proxy --config. A file with listeners is taken for the latter;
schema prints "up" unless it is said.
`;

/** `gatehouse config …`: what a start would say of a file. It needs no server. */
export async function run(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const read = readArguments('config', HELP, argv, { kind: { type: 'string' } }, 2);
  if (read === undefined) return 0;
  const { values, positionals } = read;
  const [verb, argument] = positionals;
  if (verb === 'schema') {
    process.stdout.write(`${JSON.stringify(kindNamed(argument ?? values.kind ?? 'up').schema, null, 2)}\n`);
    return 0;
  }
  if (verb !== 'check' || argument === undefined) {
    throw usage('config', 'it is "config check FILE" or "config schema"');
  }
  await kindNamed(values.kind ?? kindOf(argument)).check(argument, env);
  process.stdout.write(
    values.json === true ? `${JSON.stringify({ file: argument, accepted: true })}\n` : `${argument} is accepted\n`,
  );
  return 0;
}

async function checkUp(file: string, env: NodeJS.ProcessEnv): Promise<void> {
  const { certificates } = loadUpConfig(file, env);
  try {
    await tryCertificateFiles(certificates);
  } catch (error) {
    throw placed(faultOf(error), parsePlacedConfig(UpConfig, readConfigFile(file), file).place);
  }
}

function kindNamed(name: string) {
  const kind = Object.hasOwn(KINDS, name) ? KINDS[name] : undefined;
  if (kind === undefined) throw usage('config', `"${name}" is not one of ${Object.keys(KINDS).join(', ')}`);
  return kind;
}

/** What is wrong with the file itself is said by the check. */
const kindOf = (file: string): string => {
  const document = parseDocument(readConfigFile(file));
  return document.errors.length === 0 && document.has('listeners') ? 'proxy' : 'up';
};

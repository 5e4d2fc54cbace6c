import { parseArgs } from 'node:util';
import { Fault } from '../base/index.ts';
import { ProxyConfig } from '../edge/index.ts';
import { loadUpConfig, UpConfig } from './config.ts';
import { loadProxyConfig } from './proxy/load-proxy-config.ts';

type Check = (file: string, env: NodeJS.ProcessEnv) => unknown;

/** What reads a file of ours, and the schema of every key in it. */
const KINDS: Readonly<Record<string, { schema: object; check: Check }>> = {
  up: { schema: UpConfig, check: loadUpConfig },
  proxy: { schema: ProxyConfig, check: loadProxyConfig },
};

const HELP = `Usage: gatehouse config check FILE [--kind up|proxy]   try a file without starting anything
       gatehouse config schema [--kind up|proxy]       print the JSON Schema of every key

--kind is "up" (for gatehouse up --config) unless it is said.
`;

/** `gatehouse config …`: what a start would say of a file. It needs no server. */
export async function run(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    strict: true,
    options: {
      kind: { type: 'string', default: 'up' },
      json: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  const [verb, file] = positionals;
  const kind = Object.hasOwn(KINDS, values.kind) ? KINDS[values.kind] : undefined;
  if (values.help === true) {
    process.stdout.write(HELP);
    return 0;
  }
  if (kind === undefined) throw usage(`--kind is one of ${Object.keys(KINDS).join(', ')}`);
  if (verb === 'schema') {
    process.stdout.write(`${JSON.stringify(kind.schema, null, 2)}\n`);
    return 0;
  }
  if (verb !== 'check' || file === undefined) {
    process.stderr.write(HELP);
    return 2;
  }
  kind.check(file, env);
  process.stdout.write(
    values.json === true ? `${JSON.stringify({ file, accepted: true })}\n` : `${file} is accepted\n`,
  );
  return 0;
}

const usage = (detail: string) =>
  new Fault({ code: 'invalid_usage', detail, party: 'operator', retry: 'never', advice: 'gatehouse config --help' });

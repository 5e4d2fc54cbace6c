// The composition root: with the files under main/, the only place that reads process.env and wires the rooms together.
import { faultOf } from './base/index.ts';

/** A command that runs until it is told to stop; its module is loaded only when asked for. */
type Serve = (argv: readonly string[], env: NodeJS.ProcessEnv) => Promise<number>;

const SERVERS: Record<string, () => Promise<{ run: Serve }>> = {
  up: () => import('./main/up.ts'),
  proxy: () => import('./main/proxy.ts'),
  'hub-agent': () => import('./main/hub-agent.ts'),
  mcp: () => import('./main/mcp.ts'),
  ca: () => import('./main/ca.ts'),
  config: () => import('./main/config-command.ts'),
  backup: () => import('./main/backup.ts'),
  restore: () => import('./main/restore.ts'),
};

const CA_HERE = ['serve', 'perspective'];

async function main(): Promise<number> {
  const [command = '', ...rest] = process.argv.slice(2);
  // "ca" is a client of the API but for what runs here: the server itself.
  const isClient = command === 'ca' && !CA_HERE.includes(rest[0] ?? '');
  const server = Object.hasOwn(SERVERS, command) && !isClient ? await SERVERS[command]!() : undefined;
  if (server !== undefined) return server.run(rest, process.env);
  // `gatehouse … | head`: whoever reads has had enough.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
  const { runCli } = await import('./cli/index.ts');
  return runCli(process.argv.slice(2), process.env);
}

try {
  process.exitCode = await main();
} catch (error) {
  const { detail, advice, code } = faultOf(error).details;
  process.stderr.write(`gatehouse: ${detail}\n${advice === undefined ? '' : `  ${advice}\n`}`);
  // A fault of ours is a defect, so its trace is wanted; anybody else's is told in words.
  if (code === 'internal' && error instanceof Error) process.stderr.write(`${error.stack}\n`);
  process.exitCode = code === 'usage' ? 2 : 1;
}

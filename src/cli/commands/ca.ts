import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { dataDirectory } from '../../base/index.ts';
import type { SystemCa } from '../../contract/index.ts';
import type { Act, Context } from '../context.ts';

export function caCommands(program: Command, act: Act): void {
  const ca = program
    .command('ca')
    .description('the built-in certificate authority ("ca serve" starts the ACME server alone)');
  ca.command('root')
    .description('print the root certificate as PEM')
    .option('--path', 'print the path of a file that holds it')
    .action(
      act(async (context, options: { path?: boolean }) => {
        const { client, output } = context;
        const found = await client.call<SystemCa>('GET', '/system/ca');
        if (options.path !== true) return output.json ? output.value(found) : output.raw(found.root_pem);
        const path = rootFile(context, found);
        if (output.json) return output.value({ path });
        output.line(path);
      }),
    );
}

/** The server's own file when it is on this machine, else a copy beside this user's data. */
function rootFile({ env, dataDir }: Context, { root_pem, root_file }: SystemCa): string {
  if (root_file !== null && readIfThere(root_file) === root_pem) return root_file;
  const directory = dataDirectory(env, dataDir);
  const copy = join(directory, 'ca-root-copy.pem');
  if (readIfThere(copy) !== root_pem) {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    writeFileSync(copy, root_pem, { mode: 0o644 });
  }
  return copy;
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { dataDirectory } from '../../base/index.ts';
import type { CaAuthority, SystemCa } from '../../contract/index.ts';
import type { Act, Context } from '../context.ts';
import { trustCommand } from './ca-trust.ts';

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
  ca.command('list')
    .description('list roots and intermediates')
    .action(
      act(async ({ client, output }) => {
        const all = await client.call<CaAuthority[]>('GET', '/system/ca/authorities');
        if (output.json) return output.value(all);
        output.table(
          ['AUTHORITY', 'KIND', 'STATE', 'UNTIL'],
          all.map(({ id, kind, state, not_after }) => [id, kind, state, not_after]),
        );
      }),
    );
  ca.command('rollover')
    .description('let a new intermediate sign from now on; what was issued keeps its chain')
    .option('--root', 'make a new root too, and offer chains to both roots')
    .action(
      act(async ({ client, output }, { root = false }: { root?: boolean }) => {
        const next = await client.call<CaAuthority>('POST', '/system/ca/rollover', { root });
        if (output.json) return output.value(next);
        output.line(`${output.good('✓')} ${next.id} signs from now on`);
        if (root) output.line('Clients trust the old root still; give them the new one: gatehouse ca root');
      }),
    );
  ca.command('import')
    .description('let an existing CA sign from now on')
    .requiredOption('--chain <file>', 'PEM: the certificate that signs, then those above it, the root last')
    .requiredOption('--key <file>', 'PEM of the key of the first certificate')
    .option('--passphrase-file <file>', 'file with the passphrase of the key')
    .action(
      act(async ({ client, output }, options: { chain: string; key: string; passphraseFile?: string }) => {
        const { chain, key, passphraseFile } = options;
        const passphrase = passphraseFile && readFileSync(passphraseFile, 'utf8').replace(/\r?\n$/, '');
        const imported = await client.call<CaAuthority>('POST', '/system/ca/import', {
          chain_pem: readFileSync(chain, 'utf8'),
          key_pem: readFileSync(key, 'utf8'),
          ...(passphrase && { passphrase }),
        });
        if (output.json) return output.value(imported);
        output.line(`${output.good('✓')} ${imported.id} signs from now on`);
      }),
    );
  trustCommand(ca, act);
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

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import type { SystemCa } from '../../contract/index.ts';
import type { Act } from '../context.ts';
import { CommandFailure, EXIT } from '../failure.ts';

interface TrustStore {
  /** Where roots are put, one file each. */
  readonly directory: string;
  /** Makes the system's own bundle of what is there. */
  readonly refresh: readonly [string, ...string[]];
}

const STORES: readonly TrustStore[] = [
  { directory: '/usr/local/share/ca-certificates', refresh: ['update-ca-certificates'] },
  { directory: '/etc/pki/ca-trust/source/anchors', refresh: ['update-ca-trust', 'extract'] },
  { directory: '/etc/ca-certificates/trust-source/anchors', refresh: ['update-ca-trust'] },
];

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g;

/** Files of the roots in a PEM text: the name tells one root from another, so that several installations coexist. */
export function trustFiles(pem: string, directory: string): { readonly path: string; readonly pem: string }[] {
  return (pem.match(CERTIFICATE) ?? []).map((one) => {
    const der = Buffer.from(one.replace(/-----[^-]+-----|\s/g, ''), 'base64');
    const digest = createHash('sha256').update(der).digest('hex').slice(0, 16);
    return { path: join(directory, `gatehouse-${digest}.crt`), pem: `${one}\n` };
  });
}

export function trustCommand(ca: Command, act: Act): void {
  ca.command('trust')
    .description('let programs on this machine trust the root: puts it into the trust store of the system')
    .option('--uninstall', 'take it out again')
    .option('--dry-run', 'say what would be done, and do nothing')
    .action(
      act(
        async (
          { client, output },
          { uninstall = false, dryRun = false }: { uninstall?: boolean; dryRun?: boolean },
        ) => {
          const { root_pem } = await client.call<SystemCa>('GET', '/system/ca');
          const store = STORES.find(({ directory }) => existsSync(directory));
          if (store === undefined)
            throw new CommandFailure('this system has no trust store that is known here', {
              exitCode: EXIT.failed,
              advice: 'print the root with "gatehouse ca root", and add it by hand',
            });
          const files = trustFiles(root_pem, store.directory);
          const command = store.refresh.join(' ');
          const done = files.map(({ path }) => `${uninstall ? 'remove' : 'write'} ${path}`);
          if (!dryRun) changeStore(store, files, uninstall);
          if (output.json)
            return output.value({ files: files.map(({ path }) => path), command, uninstall, dry_run: dryRun });
          for (const line of [...done, `run ${command}`]) output.line(`${dryRun ? 'would' : output.good('✓')} ${line}`);
          if (!uninstall)
            output.note('Firefox, Java and Node.js have lists of their own; for Node.js set NODE_EXTRA_CA_CERTS.');
        },
      ),
    );
}

function changeStore(store: TrustStore, files: ReturnType<typeof trustFiles>, uninstall: boolean): void {
  try {
    for (const { path, pem } of files) {
      if (uninstall) rmSync(path, { force: true });
      else writeFileSync(path, pem, { mode: 0o644 });
    }
    const [program, ...rest] = store.refresh;
    execFileSync(program, rest, { stdio: 'pipe' });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new CommandFailure(`the trust store could not be changed: ${message.split('\n')[0]}`, {
      exitCode: EXIT.failed,
      ...(code === 'EACCES' && { advice: 'it belongs to the administrator: run the command again with sudo' }),
    });
  }
}

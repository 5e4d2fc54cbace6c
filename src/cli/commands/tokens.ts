import type { Command } from 'commander';
import { ALL_PERMISSIONS, type CreatedToken, PERMISSIONS, type Token } from '../../contract/index.ts';
import type { Act } from '../context.ts';
import { relative } from '../words.ts';

interface Options {
  permission: string[];
  app?: string[];
  for?: string;
  days?: string;
}

const collect = (value: string, all: string[] = []) => [...all, ...value.split(',')];

export function tokenCommands(program: Command, act: Act): void {
  const tokens = program.command('tokens').description('tokens: who may use the API, and for what');
  tokens
    .command('create <name>')
    .description('make a token; it is shown once')
    .requiredOption('--permission <permission>', 'what it may do, or "all"; repeat for several', collect)
    .option('--app <app>', 'limit it to this app; repeat for several', collect)
    .option('--for <person>', 'whose it is, such as an e-mail address (default: yours)')
    .option('--days <days>', 'it expires after so many days')
    .addHelpText(
      'after',
      `\nPermissions:\n${Object.entries(PERMISSIONS)
        .map(([name, what]) => `  ${name.padEnd(24)}${what}`)
        .join('\n')}`,
    )
    .action(
      act(async ({ client, output }, name: string, options: Options) => {
        const token = await client.call<CreatedToken>('POST', '/tokens', {
          name,
          permissions: options.permission.includes('all') ? ALL_PERMISSIONS : options.permission,
          ...(options.app && { apps: options.app }),
          ...(options.for !== undefined && { belongs_to: options.for }),
          ...(options.days && { expires_in_days: Number(options.days) }),
        });
        if (output.json) return output.value(token);
        output.note(`${output.good('✓')} ${token.id}. This is shown once:`);
        output.line(token.token);
      }),
    );
  tokens
    .command('list')
    .description('list tokens')
    .action(
      act(async ({ client, output, now }) => {
        const all = await client.list<Token>('/tokens');
        if (output.json) return output.value(all);
        output.table(
          ['TOKEN', 'NAME', 'BELONGS TO', 'PERMISSIONS', 'APPS', 'LAST USED', 'STATE'],
          all.map((token) => [
            token.id,
            token.name,
            token.belongs_to,
            token.permissions.length === ALL_PERMISSIONS.length ? 'all' : token.permissions.join(' '),
            token.apps?.join(' ') ?? 'all',
            relative(token.last_used_at, now()),
            token.revoked_at !== null
              ? 'revoked'
              : token.expires_at === null
                ? 'good'
                : `expires ${relative(token.expires_at, now())}`,
          ]),
        );
      }),
    );
  tokens
    .command('revoke <token>')
    .description('revoke a token, by its id')
    .action(
      act(async ({ client, output }, id: string) => {
        await client.call('DELETE', `/tokens/${encodeURIComponent(id)}`);
        if (output.json) return output.value({ revoked: id });
        output.line(`${output.good('✓')} ${id} is revoked`);
      }),
    );
}

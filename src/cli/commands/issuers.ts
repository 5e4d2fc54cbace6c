import type { Command } from 'commander';
import type { Issuer, Quota } from '../../contract/index.ts';
import type { Act } from '../context.ts';
import { relative } from '../words.ts';
import { readPem } from './domains.ts';

interface AddOptions {
  readonly id?: string;
  readonly caFile?: string;
  readonly contact?: string[];
  readonly profile?: string;
  readonly preferredChain?: string;
  readonly eabKeyId?: string;
  readonly eabHmacKeyFile?: string;
  readonly staging?: boolean;
}

export const collect = (value: string, all: string[] = []) => [...all, value];

export function issuerCommands(program: Command, act: Act): void {
  const issuers = program.command('issuers').description('issuers: where certificates come from');
  issuers
    .command('list')
    .description('list issuers, with what is left of their limits')
    .action(
      act(async ({ client, output, now }) => {
        const all = await client.call<Issuer[]>('GET', '/system/issuers');
        if (output.json) return output.value(all);
        output.table(
          ['ISSUER', 'DIRECTORY', 'KIND', 'LIMITS'],
          all.map((issuer) => [
            issuer.id,
            issuer.directory,
            `${issuer.built_in ? 'built in' : 'added'}${issuer.staging ? ', STAGING' : ''}`,
            issuer.quota.map((quota) => leftInWords(quota, now())).join('; ') || '-',
          ]),
        );
      }),
    );
  issuers
    .command('add <directory>')
    .description('add an ACME issuer by the URL of its directory')
    .option('--id <id>', 'a short name for it')
    .option('--ca-file <file>', 'PEM of the roots for its HTTPS')
    .option('--contact <url>', 'mailto:ops@example.com; repeat for several', collect)
    .option('--profile <name>', 'ACME profile to ask for')
    .option('--preferred-chain <name>', "common name of the chain's last issuer")
    .option('--eab-key-id <id>', 'external account binding')
    .option('--eab-hmac-key-file <file>', 'its key, base64url, in a file')
    .option('--staging', 'its certificates are for trying only')
    .action(
      act(async ({ client, output }, directory: string, options: AddOptions) => {
        const issuer = await client.call<Issuer>('POST', '/system/issuers', {
          directory,
          ...(options.id && { id: options.id }),
          ...(options.caFile && { ca_certificate: readPem(options.caFile) }),
          ...(options.contact && { contact: options.contact }),
          ...(options.profile && { profile: options.profile }),
          ...(options.preferredChain && { preferred_chain: options.preferredChain }),
          ...(options.eabKeyId && {
            eab: { key_id: options.eabKeyId, hmac_key: readPem(options.eabHmacKeyFile ?? '/dev/stdin').trim() },
          }),
          ...(options.staging && { staging: true }),
        });
        if (output.json) return output.value(issuer);
        output.line(`${output.good('✓')} ${issuer.id} is ${issuer.directory}`);
      }),
    );
  issuers
    .command('quota <issuer> <names...>')
    .description("what is left of the issuer's limits for names")
    .action(
      act(async ({ client, output, now }, id: string, names: string[]) => {
        const query = new URLSearchParams({ names: names.join() });
        const left = await client.call<Quota[]>('GET', `/system/issuers/${encodeURIComponent(id)}/quota?${query}`);
        if (output.json) return output.value(left);
        if (left.length === 0) output.line(`no limit of ${id} is known here; what it says itself is obeyed`);
        for (const quota of left) output.line(leftInWords(quota, now()));
      }),
    );
  issuers
    .command('roll-over-key <issuer>')
    .description('change the key of our account at the issuer')
    .action(
      act(async ({ client, output }, id: string) => {
        const issuer = await client.call<Issuer>('POST', `/system/issuers/${encodeURIComponent(id)}/roll_over_key`);
        if (output.json) return output.value(issuer);
        output.line(`${output.good('✓')} ${id}: the account ${issuer.account_url ?? ''} has a new key`);
      }),
    );
  issuers
    .command('remove <issuer>')
    .description('remove an issuer that was added')
    .action(
      act(async ({ client, output }, id: string) => {
        await client.call('DELETE', `/system/issuers/${encodeURIComponent(id)}`);
        if (output.json) return output.value({ removed: id });
        output.line(`${output.good('✓')} ${id} is removed`);
      }),
    );
}

/** `3 of 50 certificates for the registered domain left for example.com; all of them again in 2 days`. */
export function leftInWords({ limit, scope, used, most, resets_at }: Quota, now: number): string {
  const whose = scope === 'account' ? '' : ` for ${scope}`;
  const again = used === 0 ? '' : `; all of them again ${relative(resets_at, now)}`;
  return `${most - used} of ${most} ${limit} left${whose}${again}`;
}

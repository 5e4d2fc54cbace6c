import { type Command, Option } from 'commander';
import type { AcmeAccount, AcmeProfile, CreatedEabKey, EabKey } from '../../contract/index.ts';
import type { Act } from '../context.ts';
import { parseSettings } from '../settings.ts';
import { relative } from '../words.ts';

const BASE = '/system/acme_profiles';
const path = (id: string) => `${BASE}/${encodeURIComponent(id)}`;
const collect = (value: string, all: string[] = []) => [...all, value];

export function profileCommands(program: Command, act: Act): void {
  const profiles = program.command('profiles').description('profiles: directories of the built-in ACME server');
  profiles
    .command('list')
    .description('list profiles')
    .action(
      act(async ({ client, output }) => {
        const all = await client.list<AcmeProfile>(BASE);
        if (output.json) return output.value(all);
        output.table(
          ['PROFILE', 'MODE', 'EAB', 'DIRECTORY'],
          all.map((profile) => [
            `${profile.id}${profile.default ? ' (default)' : ''}`,
            profile.auth_mode,
            profile.eab_required ? 'required' : '-',
            profile.directory,
          ]),
        );
      }),
    );
  profiles
    .command('show <profile>')
    .description('show a profile with every setting')
    .action(act(async ({ client, output }, id: string) => output.value(await client.call('GET', path(id)))));
  profiles
    .command('create <profile> [settings...]')
    .description('make a profile; settings are key=value, lists in JSON: names.allow=["*.corp.example"]')
    .option('--default', 'for clients of /acme/directory')
    .action(
      act(async ({ client, output }, id: string, settings: string[], options: { default?: boolean }) => {
        const made = await client.call<AcmeProfile>('POST', BASE, {
          id,
          ...parseSettings(settings),
          ...(options.default && { default: true }),
        });
        if (output.json) return output.value(made);
        output.line(`${output.good('✓')} ${made.id} is at ${made.directory}`);
      }),
    );
  profiles
    .command('change <profile> <settings...>')
    .description('change settings; orders from now on follow them')
    .action(
      act(async ({ client, output }, id: string, settings: string[]) => {
        const changed = await client.call<AcmeProfile>('PATCH', path(id), parseSettings(settings));
        if (output.json) return output.value(changed);
        output.line(`${output.good('✓')} ${changed.id} is changed`);
      }),
    );
  profiles
    .command('delete <profile>')
    .description('delete a profile that no account belongs to')
    .action(
      act(async ({ client, output }, id: string) => {
        await client.call('DELETE', path(id));
        if (output.json) return output.value({ deleted: id });
        output.line(`${output.good('✓')} ${id} is deleted`);
      }),
    );
  profiles
    .command('accounts [profile]')
    .description('list accounts')
    .action(
      act(async ({ client, output, now }, id: string | undefined) => {
        const query = id === undefined ? '' : `?profile=${encodeURIComponent(id)}`;
        const all = await client.list<AcmeAccount>(`/system/acme_accounts${query}`);
        if (output.json) return output.value(all);
        output.table(
          ['ACCOUNT', 'PROFILE', 'STATUS', 'CONTACT', 'SINCE'],
          all.map((a) => [a.id, a.profile, a.status, a.contact.join(' ') || '-', relative(a.created_at, now())]),
        );
      }),
    );
  eabCommands(profiles, act);
}

interface EabOptions {
  readonly allow?: string[];
  readonly deny?: string[];
  readonly description?: string;
  readonly mode?: string;
  readonly trust?: boolean;
  readonly maxCertificates?: string;
  readonly days?: string;
}

function eabCommands(profiles: Command, act: Act): void {
  const eab = profiles.command('eab').description('keys for external account binding');
  eab
    .command('create <profile>')
    .description('make a key; its secret is shown once')
    .option('--allow <name>', 'a name, *.suffix or CIDR that it may have; repeat for several', collect)
    .option('--deny <name>', 'one that it may not have, and which wins; repeat for several', collect)
    .option('--description <text>', 'whose it is')
    .addOption(
      new Option('--mode <mode>', "instead of the profile's auth_mode").choices(['challenge', 'trust_authenticated']),
    )
    .addOption(new Option('--trust', 'the same as --mode trust_authenticated').conflicts('mode'))
    .option('--max-certificates <number>', 'how many it may get in all')
    .option('--days <days>', 'it expires after so many days')
    .action(
      act(async ({ client, output }, profile: string, options: EabOptions) => {
        const made = await client.call<CreatedEabKey>('POST', `${path(profile)}/eab_keys`, {
          ...((options.allow ?? options.deny) && {
            names: { ...(options.allow && { allow: options.allow }), ...(options.deny && { deny: options.deny }) },
          }),
          ...(options.description && { description: options.description }),
          ...((options.mode ?? options.trust) && { auth_mode: options.mode ?? 'trust_authenticated' }),
          ...(options.maxCertificates && { max_certificates: Number(options.maxCertificates) }),
          ...(options.days && { expires_in_days: Number(options.days) }),
        });
        if (output.json) return output.value(made);
        output.note(`${output.good('✓')} the HMAC key is shown once:`);
        output.line(`key id    ${made.id}`);
        output.line(`HMAC key  ${made.hmac_key}`);
      }),
    );
  eab
    .command('list <profile>')
    .description('list keys')
    .action(
      act(async ({ client, output, now }, profile: string) => {
        const all = await client.list<EabKey>(`${path(profile)}/eab_keys`);
        if (output.json) return output.value(all);
        output.table(
          ['KEY', 'STATUS', 'MODE', 'ALLOWED', 'DENIED', 'ACCOUNT', 'CERTIFICATES', 'EXPIRES'],
          all.map(({ settings, ...key }) => [
            key.id,
            key.status,
            settings.auth_mode ?? "the profile's",
            settings.names.allow.join(' ') || '-',
            settings.names.deny.join(' ') || '-',
            key.account ?? '-',
            settings.max_certificates === undefined
              ? String(key.certificates)
              : `${key.certificates} of ${settings.max_certificates}`,
            relative(key.expires_at, now()),
          ]),
        );
      }),
    );
  eab
    .command('revoke <profile> <key>')
    .description('revoke a key')
    .action(
      act(async ({ client, output }, profile: string, key: string) => {
        const revoked = await client.call<EabKey>('DELETE', `${path(profile)}/eab_keys/${encodeURIComponent(key)}`);
        if (output.json) return output.value(revoked);
        output.line(`${output.good('✓')} ${key} is revoked`);
      }),
    );
}

import type { Command } from 'commander';
import type { DnsCredential, DnsProvider } from '../../contract/index.ts';
import type { Act, Context } from '../context.ts';
import { CommandFailure, EXIT } from '../failure.ts';
import { relative } from '../words.ts';
import { readPem } from './domains.ts';

const BASE = '/system/acme_dns_credentials';
const path = (id: string) => `${BASE}/${encodeURIComponent(id)}`;
const collect = (value: string, all: string[] = []) => [...all, value];

interface CreateOptions {
  readonly provider: string;
  readonly zone?: string[];
  readonly field?: string[];
  readonly fieldFile?: string[];
}

export function dnsCredentialCommands(program: Command, act: Act): void {
  const credentials = program
    .command('dns-credentials')
    .description('credentials that write challenge records into DNS');
  credentials
    .command('providers')
    .description('list DNS providers and the fields of each')
    .action(
      act(async ({ client, output }) => {
        const all = await client.call<DnsProvider[]>('GET', '/system/acme_dns_providers');
        if (output.json) return output.value(all);
        for (const { id, name, fields } of all) {
          output.line(`${output.bold(id)}  ${name}`);
          for (const field of fields)
            output.line(
              `  ${field.name.padEnd(24)}${field.description}${field.required ? '' : ' (optional)'}${field.secret ? ' (secret)' : ''}`,
            );
        }
      }),
    );
  credentials
    .command('create <name>')
    .description('keep a credential and try it')
    .requiredOption('--provider <provider>', 'see: gatehouse dns-credentials providers')
    .option('--zone <zone>', 'bind it to a zone; repeat for several', collect)
    .option('--field <name=value>', 'a field that is no secret', collect)
    .option('--field-file <name=file>', 'a secret field, read from a file, or from standard input for -', collect)
    .action(
      act(async (context, name: string, options: CreateOptions) => {
        const made = await context.client.call<DnsCredential>('POST', BASE, {
          name,
          provider: options.provider,
          ...(options.zone && { zones: options.zone }),
          fields: fieldsOf(options),
        });
        if (context.output.json) return context.output.value(made);
        tell(context, made);
      }),
    );
  credentials
    .command('list')
    .description('list credentials')
    .action(
      act(async ({ client, output, now }) => {
        const all = await client.call<DnsCredential[]>('GET', BASE);
        if (output.json) return output.value(all);
        output.table(
          ['CREDENTIAL', 'NAME', 'PROVIDER', 'ZONES', 'PROOF', 'WHEN'],
          all.map((c) => [
            c.id,
            c.name,
            c.provider,
            c.zones.join(' ') || 'all it sees',
            c.validation === 'valid' ? output.good(c.validation) : output.warn(c.validation),
            relative(c.validated_at, now()),
          ]),
        );
      }),
    );
  credentials
    .command('validate <credential>')
    .description('list its zones, and try a harmless write and removal')
    .action(
      act(async (context, id: string) => {
        const proved = await context.client.call<DnsCredential>('POST', `${path(id)}/validate`);
        if (context.output.json) context.output.value(proved);
        else tell(context, proved);
        if (proved.validation === 'failed')
          throw new CommandFailure(
            `${proved.name} does not work: ${proved.validation_detail ?? 'no reason was given'}`,
          );
      }),
    );
  credentials
    .command('remove <credential>')
    .description('remove a credential and its secret')
    .action(
      act(async ({ client, output }, id: string) => {
        await client.call('DELETE', path(id));
        if (output.json) return output.value({ removed: id });
        output.line(`${output.good('✓')} ${id} is removed`);
      }),
    );
}

function fieldsOf(options: CreateOptions): Record<string, string> {
  const fields: Record<string, string> = {};
  const split = (word: string): [string, string] => {
    const equals = word.indexOf('=');
    if (equals <= 0) throw new CommandFailure(`${word} is not name=value`, { exitCode: EXIT.usage });
    return [word.slice(0, equals), word.slice(equals + 1)];
  };
  for (const [name, value] of (options.field ?? []).map(split)) fields[name] = value;
  for (const [name, file] of (options.fieldFile ?? []).map(split))
    fields[name] = readPem(file === '-' ? '/dev/stdin' : file).trim();
  return fields;
}

function tell({ output }: Context, credential: DnsCredential): void {
  const mark = credential.validation === 'valid' ? output.good('✓') : output.warn('!');
  output.line(`${mark} ${credential.id} (${credential.name}) is ${credential.validation}`);
  if (credential.validation_detail !== null) output.line(`  ${credential.validation_detail}`);
}

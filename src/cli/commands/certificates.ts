import { type Command, Option } from 'commander';
import {
  CERTIFICATE_STATUSES,
  type Certificate,
  type CertificateDetail,
  type CertificateEvent,
  CHALLENGES,
} from '../../contract/index.ts';
import type { Act, Context } from '../context.ts';
import { CommandFailure, EXIT } from '../failure.ts';
import { reasonOption } from '../revocation-reason.ts';
import { relative, shortTime } from '../words.ts';
import { readPem } from './domains.ts';
import { collect } from './issuers.ts';
import { massRevocationCommand } from './mass-revoke.ts';

const BASE = '/system/acme_certificates';
const KEY_TYPES = ['ec-p256', 'ec-p384', 'rsa-2048', 'rsa-3072', 'rsa-4096'];

interface CreateOptions {
  readonly issuer?: string[];
  readonly challenge?: string;
  readonly dnsCredential?: string;
  readonly keyType?: string;
  readonly profile?: string;
  readonly reuseKey?: boolean;
}

const path = (reference: string) => `${BASE}/${encodeURIComponent(reference)}`;

export function certificateCommands(program: Command, act: Act): void {
  const certificates = program
    .command('certificates')
    .description('certificates: where each stands, until when, and what comes next');
  certificates
    .command('list')
    .description('list certificates')
    .addOption(new Option('--status <status>', 'in this status only').choices([...CERTIFICATE_STATUSES]))
    .option('--issuer <id>', 'of this issuer only')
    .option('--prefix <text>', 'with a name that begins so')
    .action(
      act(async ({ client, output, now }, options: { status?: string; issuer?: string; prefix?: string }) => {
        const query = new URLSearchParams(
          Object.entries(options).filter(([key]) => ['status', 'issuer', 'prefix'].includes(key)),
        );
        const all = await client.list<Certificate>(`${BASE}?${query}`);
        if (output.json) return output.value(all);
        if (all.length === 0)
          return output.line('no certificates yet; they come with domains: gatehouse domains add <name> --app <app>');
        output.table(
          ['NAMES', 'STATUS', 'SERVED UNTIL', 'BY', 'WHAT NEXT'],
          all.map((certificate) => [
            certificate.names.join(', '),
            statusWord(output, certificate),
            certificate.served === null
              ? '-'
              : `${shortTime(certificate.served.not_after)} (${relative(certificate.served.not_after, now())})`,
            certificate.served === null
              ? certificate.issuers.join(', ')
              : `${certificate.served.issuer}${certificate.served.staging ? ' STAGING' : ''}`,
            certificate.why.summary,
          ]),
        );
      }),
    );
  certificates
    .command('show <certificate>')
    .description('show a certificate, by id or by a name that it carries')
    .option('--history <steps>', 'how many of its last steps to show', '10')
    .action(
      act(async (context, reference: string, options: { history: string }) => {
        const certificate = await context.client.call<CertificateDetail>('GET', path(reference));
        const events = await allEvents(context, certificate.id);
        if (context.output.json) return context.output.value({ ...certificate, events });
        showCertificate(context, certificate, events.slice(-Number(options.history)));
      }),
    );
  certificates
    .command('create <names...>')
    .description('want a certificate for names, without a domain')
    .option('--issuer <id>', 'from this issuer; repeat it for others, asked in that order when one fails', collect)
    .addOption(new Option('--challenge <type>', 'how control is proved').choices(CHALLENGES))
    .option('--dns-credential <id>', 'for dns-01 and wildcards')
    .addOption(new Option('--key-type <type>', 'ec-p256 by default').choices(KEY_TYPES))
    .option('--profile <name>', 'ACME profile to ask the issuer for')
    .option('--reuse-key', 'keep the key at renewals, instead of a new one each time')
    .action(
      act(async ({ client, output }, names: string[], options: CreateOptions) => {
        const certificate = await client.call<Certificate>('POST', BASE, {
          names,
          ...(options.issuer && { issuers: options.issuer }),
          ...(options.challenge && { challenge: options.challenge }),
          ...(options.dnsCredential && { dns_credential_id: options.dnsCredential }),
          ...(options.keyType && { key_type: options.keyType }),
          ...(options.profile && { profile: options.profile }),
          ...(options.reuseKey && { reuse_key: true }),
        });
        if (output.json) return output.value(certificate);
        output.line(`${output.good('✓')} ${certificate.id}: ${certificate.why.summary}`);
      }),
    );
  certificates
    .command('upload')
    .description('serve a certificate that you bring')
    .requiredOption('--chain <file>', 'PEM, leaf first')
    .requiredOption('--key <file>', 'PEM; kept sealed')
    .action(
      act(async ({ client, output }, options: { chain: string; key: string }) => {
        const body = { chain_pem: readPem(options.chain), private_key_pem: readPem(options.key) };
        const certificate = await client.call<Certificate>('POST', `${BASE}/upload`, body);
        if (output.json) return output.value(certificate);
        output.line(`${output.good('✓')} ${certificate.names.join(', ')}: ${certificate.why.summary}`);
      }),
    );
  certificates
    .command('renew <certificate>')
    .description('renew it, or try again, now')
    .action(
      act(async ({ client, output }, reference: string) => {
        const certificate = await client.call<Certificate>('POST', `${path(reference)}/renew`);
        if (output.json) return output.value(certificate);
        output.line(`${output.good('✓')} ${certificate.names.join(', ')}: ${certificate.why.summary}`);
      }),
    );
  certificates
    .command('revoke <certificate>')
    .description('withdraw it everywhere at once, which cannot be undone')
    .addOption(reasonOption())
    .option('--replace', 'get a new one at once')
    .option('--confirm <name>', 'its first name, typed again')
    .action(
      act(
        async (
          { client, output },
          reference: string,
          options: { reason: string; replace?: boolean; confirm?: string },
        ) => {
          const { id, names } = await client.call<CertificateDetail>('GET', path(reference));
          if (options.confirm === undefined)
            throw new CommandFailure(
              `revoking takes ${names.join(', ')} away from everybody at once and cannot be undone`,
              {
                exitCode: EXIT.usage,
                advice: `for routine replacement use "renew"; to revoke, add: --confirm ${names[0]}`,
              },
            );
          const certificate = await client.call<Certificate>('POST', `${path(id)}/revoke`, {
            reason: options.reason,
            confirm: options.confirm,
            ...(options.replace && { replace: true }),
          });
          if (output.json) return output.value(certificate);
          output.line(`${output.good('✓')} ${names.join(', ')}: ${certificate.why.summary}`);
        },
      ),
    );
  massRevocationCommand(certificates, act);
  certificates
    .command('chain <certificate>')
    .description('print the served chain as PEM')
    .action(
      act(async ({ client, output }, reference: string) =>
        output.raw(await client.text(`${path(reference)}/chain.pem`)),
      ),
    );
}

async function allEvents({ client }: Context, id: string): Promise<CertificateEvent[]> {
  const all: CertificateEvent[] = [];
  for (;;) {
    const batch = await client.call<CertificateEvent[]>(
      'GET',
      `${path(id)}/events?limit=1000&after=${all.at(-1)?.seq ?? 0}`,
    );
    all.push(...batch);
    if (batch.length < 1000) return all;
  }
}

function statusWord(output: Context['output'], { status }: Pick<Certificate, 'status'>): string {
  if (status === 'valid' || status === 'renewing') return output.good(status);
  return status === 'pending' || status === 'issuing' ? output.warn(status) : output.bad(status);
}

function showCertificate(
  { output, now }: Context,
  certificate: CertificateDetail,
  events: readonly CertificateEvent[],
): void {
  const { served, why } = certificate;
  output.line(`${output.bold(certificate.names.join(', '))}  ${output.dim(certificate.id)}`);
  output.line(`  status       ${statusWord(output, certificate)}. ${why.summary}`);
  if (served !== null) {
    output.line(
      `  served       until ${shortTime(served.not_after)} UTC (${relative(served.not_after, now())}), since ${shortTime(served.issued_at)}`,
    );
    output.line(
      `  issued by    ${served.issuer} (${served.issuer_name})${served.staging ? output.warn(' STAGING: browsers do not trust it') : ''}`,
    );
    output.line(`  serial       ${served.serial}`);
    output.line(`  SHA-256      ${served.fingerprint_sha256}`);
  } else output.line('  served       nothing');
  output.line(`  proved by    ${certificate.challenge}, key ${certificate.key_type}`);
  output.line(`  needed by    ${certificate.references.join(', ') || 'nobody; it is no longer renewed'}`);
  if (why.next_attempt_at !== null)
    output.line(`  next         ${shortTime(why.next_attempt_at)} UTC (${relative(why.next_attempt_at, now())})`);
  if (why.problem !== null) {
    output.line(`  ${output.bad('problem')}      ${why.problem.detail}`);
    output.line(
      `               ${why.problem.failed_party} failed (${why.problem.type}), ${why.attempts} ${why.attempts === 1 ? 'attempt' : 'attempts'} so far`,
    );
    if (why.advice !== null) output.line(`  do           ${why.advice}`);
  }
  for (const { name, publisher, detail, since, advice } of certificate.findings) {
    output.line(`  ${output.bad('seen')}         ${name} at ${publisher}: ${detail} (since ${shortTime(since)} UTC)`);
    output.line(`  do           ${advice}`);
  }
  if (events.length > 0) output.line('  history');
  for (const event of events)
    output.line(`    ${output.dim(shortTime(event.at))}  ${event.step.padEnd(13)}${event.detail}`);
}

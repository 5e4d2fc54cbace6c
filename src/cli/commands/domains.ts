import { readFileSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { CHALLENGES, type Domain, type Issuer } from '../../contract/index.ts';
import type { Client } from '../client.ts';
import type { Act, Context } from '../context.ts';
import { CommandFailure, EXIT } from '../failure.ts';
import { importDomains } from '../import-domains.ts';
import { followUntilServed } from '../progress.ts';
import { relative, shortTime } from '../words.ts';

interface AddOptions {
  readonly app: string;
  readonly issuer?: string[];
  readonly caFile?: string;
  readonly challenge?: string;
  readonly dnsCredential?: string;
  readonly redirectTo?: string;
  readonly route: boolean;
  readonly onDemand?: true;
  readonly wait: boolean;
  readonly timeout: string;
}

interface ListOptions {
  readonly app?: string;
  readonly prefix?: string;
  readonly status?: string;
  readonly dns?: string;
}

const collect = (value: string, all: string[] = []) => [...all, value];
const path = (app: string, domain = '') =>
  `/apps/${encodeURIComponent(app)}/domains${domain === '' ? '' : `/${encodeURIComponent(domain)}`}`;

export function domainCommands(program: Command, act: Act): void {
  const domains = program.command('domains').description("domains: an app's names, from DNS to served");
  domains
    .command('add <domain>')
    .description('claim a name for an app, route it and get its certificate')
    .requiredOption('--app <app>', 'the app that it leads to')
    .option('--issuer <issuer>', 'an issuer, or the URL of an ACME directory; repeat for a second choice', collect)
    .option('--ca-file <file>', "PEM of the roots for that directory's own HTTPS")
    .addOption(new Option('--challenge <type>', 'how control is proved').choices(CHALLENGES))
    .option('--dns-credential <id>', 'for dns-01 and wildcards')
    .option('--redirect-to <name>', 'send its requests on to this name of the app')
    .option('--no-route', 'prove and certify it now, and route it later')
    .option('--on-demand', 'get its certificate when the first visitor comes')
    .option('--no-wait', 'do not wait until it is served')
    .option('--timeout <seconds>', 'how long to wait', '600')
    .action(act(addDomain));
  domains
    .command('list')
    .description('list domains')
    .option('--app <app>', 'of this app only')
    .option('--prefix <text>', 'names that begin so')
    .option('--status <word>', 'issued, renewing, pending or failed')
    .option('--dns <word>', 'configured, elsewhere, missing, unanswered, unknown or local')
    .action(
      act(async ({ client, output, now }, options: ListOptions) => {
        const { prefix, status: tls_status, dns: dns_state } = options;
        const given = Object.entries({ prefix, tls_status, dns_state }).filter(([, value]) => value !== undefined);
        const query = given.length === 0 ? '' : `?${new URLSearchParams(given as [string, string][])}`;
        const all = await client.list<Domain>(`${options.app === undefined ? '/domains' : path(options.app)}${query}`);
        if (output.json) return output.value(all);
        if (all.length === 0) return output.line('no domains yet; add one: gatehouse domains add <name> --app <app>');
        output.table(
          ['DOMAIN', 'APP', 'TLS', 'DNS', 'UNTIL', 'WHAT NEXT'],
          all.map((domain) => [
            domain.unicode,
            domain.app.id,
            tlsWord(output, domain.tls_status),
            domain.dns.state,
            relative(domain.certificate?.served?.not_after, now()),
            domain.why.summary,
          ]),
        );
      }),
    );
  domains
    .command('show <domain>')
    .description('say where a domain stands, and why')
    .option('--app <app>', 'the app that holds it')
    .action(
      act(async (context, name: string, options: { app?: string }) => {
        const domain = await findDomain(context.client, name, options.app);
        if (context.output.json) return context.output.value(domain);
        showDomain(context, domain);
      }),
    );
  domains
    .command('verify <domain>')
    .description('look at DNS again now, and try now')
    .option('--app <app>', 'the app that holds it')
    .action(
      act(async (context, name: string, options: { app?: string }) => {
        const held = await findDomain(context.client, name, options.app);
        const domain = await context.client.call<Domain>('POST', `${path(held.app.id, held.domain)}/verify`);
        if (context.output.json) return context.output.value(domain);
        showDomain(context, domain);
      }),
    );
  domains
    .command('import <file>')
    .description(
      'claim up to 10,000 names: one a line, or CSV with domain, redirect_to, route, on_demand; - is standard input',
    )
    .requiredOption('--app <app>', 'the app that they lead to')
    .action(act((context, file: string, options: { app: string }) => importDomains(context, file, options.app)));
  domains
    .command('remove <domain>')
    .description('withdraw its route and certificate, and stop renewal')
    .option('--app <app>', 'the app that holds it')
    .action(
      act(async ({ client, output }, name: string, options: { app?: string }) => {
        const held = await findDomain(client, name, options.app);
        await client.call('DELETE', path(held.app.id, held.domain));
        if (output.json) return output.value({ removed: held.domain });
        output.line(`${output.good('✓')} ${held.domain} is withdrawn`);
      }),
    );
}

async function addDomain(context: Context, name: string, options: AddOptions): Promise<void> {
  const { client, output } = context;
  const timeout = Number(options.timeout);
  if (!(timeout > 0)) throw new CommandFailure('--timeout is no number of seconds', { exitCode: EXIT.usage });
  const issuers = await chooseIssuers(client, options);
  const domain = await client.call<Domain>('POST', path(options.app), {
    domain: name,
    ...(issuers !== undefined && { issuers }),
    ...(options.challenge !== undefined && { challenge: options.challenge }),
    ...(options.dnsCredential !== undefined && { dns_credential_id: options.dnsCredential }),
    ...(options.redirectTo !== undefined && { redirect_to: options.redirectTo }),
    ...(!options.route && { route: false }),
    ...(options.onDemand && { on_demand: true }),
  });
  output.note(`${output.bold(domain.unicode)} belongs to ${domain.app.id}`);
  if (!options.wait || options.onDemand) {
    if (output.json) return output.value(domain);
    output.line(domain.why.summary);
    return;
  }
  const served = await followUntilServed(context, domain, timeout);
  if (output.json) return output.value(served);
  const until = served.certificate?.served?.not_after;
  const from = served.certificate?.served;
  output.line(
    `${output.good('✓')} https://${served.domain}/ is served until ${shortTime(until)} UTC, by ${from?.issuer ?? 'its issuer'}${from?.staging ? output.warn(' (STAGING: browsers do not trust it)') : ''}`,
  );
}

/** Directory URLs become issuers; the same directory twice is the same issuer. */
async function chooseIssuers(client: Client, options: AddOptions): Promise<string[] | undefined> {
  if (options.issuer === undefined) return undefined;
  const ca = options.caFile === undefined ? undefined : readPem(options.caFile);
  const ids: string[] = [];
  for (const issuer of options.issuer) {
    if (!/^https?:/.test(issuer)) {
      ids.push(issuer);
      continue;
    }
    const made = await client.call<Issuer>('POST', '/system/issuers', {
      directory: issuer,
      ...(ca !== undefined && { ca_certificate: ca }),
    });
    ids.push(made.id);
  }
  return ids;
}

export function readPem(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new CommandFailure(`${file} cannot be read: ${(error as Error).message}`, { exitCode: EXIT.usage });
  }
}

async function findDomain(client: Client, name: string, app: string | undefined): Promise<Domain> {
  if (app !== undefined) return client.call<Domain>('GET', path(app, name));
  const found = await client.call<Domain>('GET', `/domains/${encodeURIComponent(name)}`);
  return found;
}

function tlsWord(output: Context['output'], status: Domain['tls_status']): string {
  const style = { issued: output.good, renewing: output.good, pending: output.warn, failed: output.bad }[status];
  return style(status);
}

function showDomain({ output, now }: Context, domain: Domain): void {
  const served = domain.certificate?.served;
  output.line(
    `${output.bold(domain.unicode)}${domain.unicode === domain.domain ? '' : ` (${domain.domain})`} of ${domain.app.id}`,
  );
  output.line(`  TLS          ${tlsWord(output, domain.tls_status)}. ${domain.why.summary}`);
  if (served !== undefined && served !== null)
    output.line(
      `  served       until ${shortTime(served.not_after)} UTC (${relative(served.not_after, now())}), by ${served.issuer}${served.staging ? output.warn(' STAGING') : ''}`,
    );
  output.line(`  DNS          ${domain.dns.state}: ${domain.dns.summary}`);
  for (const answer of domain.dns.answers)
    output.line(
      `               ${answer.view} ${answer.server}: ${answer.problem ?? ([...answer.cname, ...answer.addresses].join(' -> ') || 'nothing')}`,
    );
  if (domain.dns.caa.records.length > 0) output.line(`  CAA          ${domain.dns.caa.records.join(', ')}`);
  output.line(
    `  claim        ${domain.claim.state}${domain.claim.proof === null ? '' : ` by ${domain.claim.proof}`}${domain.claim.lapses_at === null ? '' : `; lapses ${relative(domain.claim.lapses_at, now())} unless proved`}`,
  );
  output.line(
    `  requests     ${domain.redirect_to !== null ? `are sent on to ${domain.redirect_to}` : domain.routed ? `go to ${domain.app.id}` : 'are not routed yet'}`,
  );
  if (!domain.dns_configured)
    for (const { line, purpose } of domain.dns.expected)
      output.line(`  set          ${line}   ${output.dim(`; ${purpose}`)}`);
  if (domain.why.next_attempt_at !== null)
    output.line(
      `  next         ${shortTime(domain.why.next_attempt_at)} UTC (${relative(domain.why.next_attempt_at, now())})`,
    );
  for (const trouble of domain.troubleshooting) {
    output.line(`  ${output.warn('!')} ${trouble.symptom}`);
    output.line(`    cause      ${trouble.likely_cause}`);
    output.line(`    recovery   ${trouble.recovery}`);
  }
}

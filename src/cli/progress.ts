import type { CertificateEvent, Domain } from '../contract/index.ts';
import type { Context } from './context.ts';
import { CommandFailure, EXIT } from './failure.ts';
import { shortTime } from './words.ts';

// The steps that a person follows; the engine tells of more.
const SHOWN = new Set(['dns', 'order', 'challenge', 'validation', 'issued', 'served']);

const pathOf = (domain: Domain): string =>
  `/apps/${encodeURIComponent(domain.app.id)}/domains/${encodeURIComponent(domain.domain)}`;

/** Shows each step of a domain until it is served. Throws a `CommandFailure` when it fails or time is up. */
export async function followUntilServed(context: Context, domain: Domain, timeoutSeconds: number): Promise<Domain> {
  const { client, output } = context;
  const limit = AbortSignal.timeout(timeoutSeconds * 1000);
  let told = '';
  try {
    for await (const { event, data } of client.stream(`${pathOf(domain)}/events`, limit)) {
      const step = data as CertificateEvent;
      if (event === 'dns' && step.detail !== told) tellRecords(context, domain);
      told = step.detail;
      if (SHOWN.has(event)) output.note(`  ${mark(context, event)} ${event.padEnd(11)}${step.detail}`);
      if (event === 'served') return client.call<Domain>('GET', pathOf(domain));
      if (event === 'problem') await endIfFailed(context, domain, step);
    }
  } catch (error) {
    if (!limit.aborted) throw error;
  }
  const now = await client.call<Domain>('GET', pathOf(domain));
  throw new CommandFailure(`${domain.domain} is not served after ${timeoutSeconds} seconds: ${now.why.summary}`, {
    exitCode: EXIT.timeout,
    advice: `it goes on by itself; look with: gatehouse domains show ${domain.domain} --app ${domain.app.id}`,
  });
}

const mark = ({ output }: Context, event: string): string => (event === 'dns' ? output.warn('…') : output.good('✓'));

function tellRecords({ output }: Context, domain: Domain): void {
  const records = domain.dns.expected;
  if (records.length === 0) return;
  output.note('  put one of these lines into the zone; everything else follows by itself:');
  for (const { line, purpose } of records) output.note(`    ${line}   ${output.dim(`; ${purpose}`)}`);
}

async function endIfFailed(context: Context, domain: Domain, step: CertificateEvent): Promise<void> {
  const { client, output } = context;
  output.note(`  ${output.bad('✗')} ${'problem'.padEnd(11)}${step.detail}`);
  const now = await client.call<Domain>('GET', pathOf(domain));
  if (now.tls_status !== 'failed') return;
  const { problem, next_attempt_at, advice } = now.why;
  throw new CommandFailure(`${domain.domain} has no certificate yet: ${problem?.detail ?? now.why.summary}`, {
    advice: [
      advice ?? now.troubleshooting[0]?.recovery ?? 'mend the cause, then: gatehouse domains verify',
      next_attempt_at === null ? '' : `it is tried again by itself at ${shortTime(next_attempt_at)} UTC`,
    ]
      .filter((line) => line !== '')
      .join('\n  '),
  });
}

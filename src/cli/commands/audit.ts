import type { Command } from 'commander';
import type { AuditEvent, AuditVerdict } from '../../contract/index.ts';
import type { Act } from '../context.ts';
import { CommandFailure } from '../failure.ts';
import { shortTime } from '../words.ts';

interface Filter {
  readonly actor?: string;
  readonly action?: string;
  readonly resource?: string;
  readonly outcome?: string;
  readonly since?: string;
  readonly until?: string;
}

const FIELDS = ['actor', 'action', 'resource', 'outcome', 'since', 'until'] as const;
const queryOf = (filter: Filter) =>
  new URLSearchParams(FIELDS.flatMap((field) => (filter[field] === undefined ? [] : [[field, filter[field]]])));

export function auditCommands(program: Command, act: Act): void {
  const audit = program.command('audit').description('audit: everything that was done and refused');
  const filtered = (command: Command) =>
    command
      .option('--actor <actor>', 'by this actor, such as token:tok_…: `actor` in what --json prints')
      .option('--action <action>', 'such as domain.claim')
      .option('--resource <resource>', 'such as domain:shop.example.com')
      .option('--outcome <outcome>', 'done, refused or failed')
      .option('--since <time>', 'RFC 3339')
      .option('--until <time>', 'RFC 3339');
  filtered(audit.command('list').description('list events, newest first'))
    .option('--limit <count>', 'how many', '50')
    .action(
      act(async ({ client, output }, options: Filter & { limit: string }) => {
        const all = await client.list<AuditEvent>(`/audit_events?${queryOf(options)}`, Number(options.limit) || 50);
        if (output.json) return output.value(all);
        output.table(
          ['WHEN', 'WHO', 'WHAT', 'ON', 'OUTCOME'],
          all.map((event) => [
            shortTime(event.at),
            event.actor_name,
            event.action,
            event.resource,
            event.outcome === 'done' ? event.outcome : output.bad(event.outcome),
          ]),
        );
      }),
    );
  audit
    .command('verify')
    .description('compute the chain of seals again, and say whether anything was changed')
    .action(
      act(async ({ client, output }) => {
        const verdict = await client.call<AuditVerdict>('GET', '/audit_events/verify');
        if (output.json) output.value(verdict);
        if (!verdict.ok)
          throw new CommandFailure(`the audit log was changed: ${verdict.problem}`, {
            advice: 'compare it with an export that you kept',
          });
        if (!output.json) {
          output.line(
            `${output.good('✓')} ${verdict.events} events in ${verdict.seals} seals are as they were written`,
          );
          output.line(`  head ${verdict.head}`);
        }
      }),
    );
  filtered(audit.command('export').description('print every event, one JSON object a line')).action(
    act(async ({ client, output }, options: Filter) => {
      const decoder = new TextDecoder();
      for await (const chunk of client.body(`/audit_events/export?${queryOf(options)}`))
        output.raw(decoder.decode(chunk, { stream: true }));
    }),
  );
}

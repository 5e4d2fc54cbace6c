import type { Command } from 'commander';
import type { SystemStatus } from '../../contract/index.ts';
import type { Act } from '../context.ts';
import { counted, relative } from '../words.ts';

export function statusCommands(program: Command, act: Act): void {
  program
    .command('status')
    .description('counts, and what needs a person')
    .action(
      act(async ({ client, output, now }) => {
        const status = await client.call<SystemStatus>('GET', '/status');
        if (output.json) return output.value(status);
        const counts = Object.entries(status.certificates).filter(([, count]) => count > 0);
        output.line(
          `${counted(status.apps, 'app')}, ${counted(status.domains.total, 'domain')}, certificates: ${counts.map(([word, count]) => `${count} ${word}`).join(', ') || 'none'}`,
        );
        for (const certificate of status.needs_attention)
          output.line(`${output.bad('✗')} ${certificate.names.join(', ')}: ${certificate.why.summary}`);
        for (const { name, publisher, detail, advice } of status.findings)
          output.line(`${output.bad('✗')} ${name} at ${publisher}: ${detail}; ${advice}`);
        for (const { detail, advice } of status.ca_findings)
          output.line(`${output.bad('✗')} the CA: ${detail}; ${advice}`);
        for (const certificate of status.ending_soon)
          output.line(
            `${output.warn('!')} ${certificate.names.join(', ')} ends ${relative(certificate.served?.not_after, now())}`,
          );
      }),
    );
}

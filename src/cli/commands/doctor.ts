import type { Command } from 'commander';
import type { DoctorFinding } from '../../contract/index.ts';
import type { Act } from '../context.ts';
import { CommandFailure, EXIT } from '../failure.ts';

export function doctorCommands(program: Command, act: Act): void {
  program
    .command('doctor [domain]')
    .description('check DNS, CAA, reachability, limits and clock, and say what would happen')
    .option('--staging', 'try the whole issue at a staging issuer, too, and throw the certificate away')
    .option('--issuer <id>', 'the staging issuer to try at; letsencrypt-staging by default')
    .action(
      act(async ({ client, output }, name: string | undefined, options: { staging?: boolean; issuer?: string }) => {
        const query = name === undefined ? '' : `?name=${encodeURIComponent(name)}`;
        const findings = await client.call<DoctorFinding[]>('GET', `/system/doctor${query}`);
        if (options.staging === true || options.issuer !== undefined) {
          if (name === undefined) throw new CommandFailure('--staging needs a name', { exitCode: EXIT.usage });
          if (!output.json) output.note('trying the whole issue at staging; this takes as long as an issue does');
          const body = { name, ...(options.issuer && { issuer: options.issuer }) };
          findings.push(...(await client.call<DoctorFinding[]>('POST', '/system/doctor/staging', body)));
        }
        if (output.json) output.value(findings);
        const marks = { good: output.good('✓'), advice: output.warn('!'), wrong: output.bad('✗') };
        for (const finding of output.json ? [] : findings) {
          output.line(`${marks[finding.outcome]} ${finding.check.padEnd(19)}${finding.detail}`);
          if (finding.advice !== null) output.line(`  ${' '.repeat(19)}${finding.advice}`);
        }
        const wrong = findings.filter(({ outcome }) => outcome === 'wrong').length;
        if (wrong > 0) throw new CommandFailure(`${wrong} of ${findings.length} checks failed`);
      }),
    );
}

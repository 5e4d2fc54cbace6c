import type { Command } from 'commander';
import type { MassRevocationRehearsal, Mission } from '../../contract/index.ts';
import type { Act, Context } from '../context.ts';
import { CommandFailure, EXIT } from '../failure.ts';
import { reasonOption } from '../revocation-reason.ts';
import { showMission } from './missions.ts';

interface MassRevokeOptions {
  readonly issuer?: string;
  readonly key?: string;
  readonly issuedFrom?: string;
  readonly issuedUntil?: string;
  readonly reason: string;
  readonly perHour: string;
  readonly propose?: boolean;
}

export function massRevocationCommand(certificates: Command, act: Act): void {
  certificates
    .command('mass-revoke')
    .description('rehearse the revocation of many: each that is served is replaced first')
    .option('--issuer <id>', 'issued by this issuer')
    .option('--key <sha256>', 'with this key: hex SHA-256 of its SubjectPublicKeyInfo')
    .option('--issued-from <time>', 'issued at or after this time: 2026-11-24T00:00:00Z')
    .option('--issued-until <time>', 'issued before this time')
    .addOption(reasonOption())
    .option('--per-hour <count>', 'how many an hour', '100')
    .option('--propose', 'propose it as a mission, which runs once it is approved')
    .action(
      act(async (context, options: MassRevokeOptions) => {
        const which = {
          ...(options.issuer && { issuer: options.issuer }),
          ...(options.key && { key_sha256: options.key }),
          ...(options.issuedFrom && { issued_from: options.issuedFrom }),
          ...(options.issuedUntil && { issued_until: options.issuedUntil }),
        };
        if (Object.keys(which).length === 0)
          throw new CommandFailure('say which: --issuer, --key, --issued-from or --issued-until', {
            exitCode: EXIT.usage,
          });
        const per_hour = Number(options.perHour);
        if (options.propose === true) return propose(context, { ...which, reason: options.reason, per_hour });
        await rehearse(context, { ...which, per_hour });
      }),
    );
}

async function propose(context: Context, inputs: object): Promise<void> {
  const mission = await context.client.call<Mission>('POST', '/missions', {
    kind: 'mass_revoke_certificates',
    inputs,
  });
  if (context.output.json) return context.output.value(mission);
  showMission(context, mission);
}

async function rehearse({ client, output }: Context, body: object): Promise<void> {
  const path = '/system/acme_certificates/mass_revocation/rehearsal';
  const found = await client.call<MassRevocationRehearsal>('POST', path, body);
  if (output.json) return output.value(found);
  output.line(`${found.versions} certificates fit; nothing is done yet`);
  output.line(`  replaced, then revoked   ${found.served}`);
  output.line(`  revoked only             ${found.not_served} (not served any more, or needed by nobody)`);
  output.line(
    `  takes                    at most ${Math.ceil(found.takes_seconds / 3600)} h at ${found.per_hour} an hour`,
  );
  if (found.examples.length > 0) output.line(`  among them               ${found.examples.join(', ')}`);
  if (found.versions > 0) output.line(output.dim('to propose it, for approval: the same command with --propose'));
}

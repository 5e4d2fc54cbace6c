import { type Command, Option } from 'commander';
import { MISSION_STATUSES, type Mission, type MissionEvent } from '../../contract/index.ts';
import type { Act, Context } from '../context.ts';
import { CommandFailure } from '../failure.ts';
import { relative } from '../words.ts';

const path = (id: string) => `/missions/${encodeURIComponent(id)}`;
const ENDED: ReadonlySet<Mission['status']> = new Set(['rejected', 'succeeded', 'failed', 'expired']);

export function missionCommands(program: Command, act: Act): void {
  const missions = program.command('missions').description('plans that run only after approval');
  missions
    .command('list')
    .description('list missions, newest first')
    .addOption(new Option('--status <status>', 'in this status only').choices([...MISSION_STATUSES]))
    .action(
      act(async ({ client, output, now }, options: { status?: string }) => {
        const all = await client.list<Mission>(
          `/missions${options.status === undefined ? '' : `?status=${options.status}`}`,
        );
        if (output.json) return output.value(all);
        if (all.length === 0) return output.line('no missions');
        output.table(
          ['MISSION', 'WHAT', 'STATUS', 'ASKED BY', 'WHEN'],
          all.map((m) => [m.id, m.title, m.status, m.asked_by_name, relative(m.created_at, now())]),
        );
      }),
    );
  missions
    .command('show <mission>')
    .description('show its plan and how far it is')
    .action(
      act(async (context, id: string) => {
        const mission = await context.client.call<Mission>('GET', path(id));
        if (context.output.json) return context.output.value(mission);
        showMission(context, mission);
      }),
    );
  missions
    .command('approve <mission>')
    .description('approve it; it runs once enough people did')
    .option('--no-wait', 'do not wait until it ends')
    .action(
      act(async (context, id: string, options: { wait: boolean }) => {
        const { client, output } = context;
        const approved = await client.call<Mission>('POST', `${path(id)}/approve`);
        const waits = approved.approvals.length < approved.approvals_needed;
        const mission = options.wait && !waits ? await followMission(context, id) : approved;
        if (output.json) output.value(mission);
        else
          output.line(
            `${mission.status === 'failed' ? output.bad('✗') : output.good('✓')} ${mission.title}: ${mission.why.summary}`,
          );
        if (mission.status === 'failed')
          throw new CommandFailure(mission.why.problem?.detail ?? mission.why.summary, {
            ...(mission.why.advice !== null && { advice: mission.why.advice }),
          });
      }),
    );
  missions
    .command('reject <mission>')
    .description('reject it for good')
    .option('--reason <text>', 'why')
    .action(
      act(async ({ client, output }, id: string, options: { reason?: string }) => {
        const mission = await client.call<Mission>('POST', `${path(id)}/reject`, options);
        if (output.json) return output.value(mission);
        output.line(`${output.good('✓')} ${mission.title} is rejected`);
      }),
    );
}

async function followMission({ client, output }: Context, id: string): Promise<Mission> {
  const end = new AbortController();
  try {
    for await (const { data } of client.stream(`${path(id)}/events`, end.signal)) {
      const event = data as MissionEvent;
      output.note(
        `  ${event.state === 'failed' ? output.bad('✗') : output.good('✓')} ${event.step.padEnd(18)}${event.state.padEnd(10)}${event.detail}`,
      );
      const mission = await client.call<Mission>('GET', path(id));
      if (ENDED.has(mission.status)) return mission;
    }
  } finally {
    end.abort();
  }
  return client.call<Mission>('GET', path(id));
}

export function showMission({ output, now }: Context, mission: Mission): void {
  output.line(`${output.bold(mission.title)}  ${output.dim(mission.id)}`);
  output.line(`  status       ${mission.status}. ${mission.why.summary}`);
  output.line(
    `  asked by     ${mission.asked_by_name}, ${relative(mission.created_at, now())}; expires ${relative(mission.expires_at, now())}`,
  );
  output.line(
    `  approvals    ${mission.approvals.length} of ${mission.approvals_needed}${mission.approvals.map(({ name }) => `, ${name}`).join('')}`,
  );
  output.line('  plan');
  for (const { step, action, detail } of mission.plan) {
    const done = mission.steps_completed.includes(step);
    output.line(`    ${done ? output.good('✓') : '·'} ${step.padEnd(18)}${action.padEnd(8)}${detail}`);
  }
  for (const warning of mission.warnings) output.line(`  ${output.warn('!')} ${warning}`);
}

import { readFileSync } from 'node:fs';
import type { DomainImport, ImportLine } from '../contract/index.ts';
import type { Context } from './context.ts';
import { CommandFailure, EXIT } from './failure.ts';

const LOOK_EVERY_MS = 200;
const BAR_WIDTH = 30;

/** Sends a file of names, shows how far it is, and prints what failed. Throws when a line failed. */
export async function importDomains(context: Context, file: string, app: string): Promise<void> {
  const { client, output } = context;
  const base = `/apps/${encodeURIComponent(app)}/domain_imports`;
  let state = await client.send<DomainImport>(base, 'text/csv', readNames(file));
  for (let told = -1; ; state = await client.call<DomainImport>('GET', `${base}/${state.id}`)) {
    const step = Math.floor((state.done / state.total) * BAR_WIDTH);
    if (step !== told)
      output.note(`  ${'█'.repeat(step)}${'░'.repeat(BAR_WIDTH - step)} ${state.done} of ${state.total}`);
    told = step;
    if (state.finished_at !== null) break;
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
  const failed = await client.list<ImportLine>(`${base}/${state.id}/lines?outcome=failed`);
  if (output.json) output.value({ ...state, failures: failed });
  else {
    output.line(`${output.good('✓')} ${state.added} added, ${state.kept} were there already, ${state.failed} failed`);
    for (const { line, domain, detail } of failed)
      output.line(`  ${output.bad('✗')} line ${line}: ${domain}: ${detail}`);
  }
  if (failed.length > 0)
    throw new CommandFailure(`${failed.length} of ${state.total} names failed`, {
      advice: 'mend those lines and import the file again: what is there already stays as it is',
    });
}

function readNames(file: string): string {
  try {
    return readFileSync(file === '-' ? '/dev/stdin' : file, 'utf8');
  } catch (error) {
    throw new CommandFailure(`${file} cannot be read: ${(error as Error).message}`, { exitCode: EXIT.usage });
  }
}

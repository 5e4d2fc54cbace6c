import { errorText, type Logger } from '../base/index.ts';
import type { Authority } from './authority.ts';
import type { HierarchyDeps, HierarchySettings } from './hierarchy.ts';
import { planReplacement } from './plan-replacement.ts';
import { rollOver } from './rollover.ts';

/** Why the CA cannot keep itself, in words; it stays until the next look finds it gone. */
export interface CaFinding {
  readonly detail: string;
  readonly advice: string;
}

export interface UpkeepDeps extends HierarchyDeps {
  readonly settings: HierarchySettings;
  /** Milliseconds: the longest certificate that may be asked for now. */
  readonly longestLeaf: () => Promise<number>;
  readonly log: Logger;
  reload(): Promise<readonly Authority[]>;
}

const HOUR = 3_600_000;

export interface Upkeep {
  /** One look at everything; does what is due. Idempotent, and any replica may do it. */
  look(): Promise<void>;
  run(signal: AbortSignal): Promise<void>;
  findings(): readonly CaFinding[];
}

/** Replaces the intermediate before it is too short for what it signs. */
export function createUpkeep(deps: UpkeepDeps): Upkeep {
  const { clock, log, settings } = deps;
  let findings: readonly CaFinding[] = [];

  async function replaceIntermediate(): Promise<CaFinding[]> {
    const authorities = await deps.reload();
    const plan = planReplacement(authorities, settings, await deps.longestLeaf(), clock.now());
    if (plan.kind === 'none') return [];
    if (plan.kind === 'stuck') return [{ detail: plan.why, advice: plan.advice }];
    await rollOver(deps, settings, authorities, plan, 'acme-system:ca');
    await deps.reload();
    log.info({ root: plan.root }, 'a new intermediate signs, since the old one would end before its certificates');
    return [];
  }

  async function look(): Promise<void> {
    try {
      findings = await replaceIntermediate();
    } catch (error) {
      findings = [
        {
          detail: `the intermediate could not be replaced: ${errorText(error)}`,
          advice: 'it is tried again every hour',
        },
      ];
    }
    for (const { detail, advice } of findings) log.warn({ advice }, detail);
  }

  return {
    look,
    findings: () => findings,
    async run(signal) {
      while (!signal.aborted) {
        await look();
        await clock.sleep(HOUR, signal).catch(() => {});
      }
    },
  };
}

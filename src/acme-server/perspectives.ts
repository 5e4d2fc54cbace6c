import type { ProblemDocument } from '../acme/index.ts';
import { problemTypeOf } from '../acme/index.ts';
import { errorText } from '../base/index.ts';
import { Refusal } from './refusal.ts';
import type { ValidationTask } from './validators/validator.ts';

/** Another place in the network from which control is checked too. */
export interface Perspective {
  readonly name: string;
  /** Resolves with what it found wrong; undefined when it saw control. Rejects when it cannot be asked. */
  check(task: ValidationTask, signal: AbortSignal): Promise<ProblemDocument | undefined>;
}

/**
 * After this server itself saw control: as many other perspectives must see it as the profile says, so that whoever
 * holds one path through the network gains nothing (CA/B BR §3.2.2.9). One that cannot be asked saw nothing. All are
 * heard, so that the answer says what each saw.
 */
export async function requireQuorum(
  perspectives: readonly Perspective[],
  task: ValidationTask,
  signal: AbortSignal,
  heard: (perspective: string, result: 'seen' | 'not_seen' | 'unreachable') => void,
): Promise<void> {
  const { perspectives_quorum: quorum } = task.policy;
  if (quorum === 0) return;
  const views = await Promise.all(
    perspectives.map(async ({ name, check }) => {
      try {
        const problem = await check(task, signal);
        heard(name, problem === undefined ? 'seen' : 'not_seen');
        return { name, seen: problem === undefined, problem };
      } catch (error) {
        heard(name, 'unreachable');
        return { name, seen: false, problem: { type: '', detail: `cannot be asked: ${errorText(error)}` } };
      }
    }),
  );
  const seen = views.filter((view) => view.seen).length;
  if (seen >= quorum) return;
  const others = views.flatMap(({ name, problem }) => (problem === undefined ? [] : [`${name}: ${problem.detail}`]));
  const type = views.map(({ problem }) => problemTypeOf(problem?.type ?? '')).find((found) => found !== undefined);
  throw new Refusal(
    type ?? 'serverInternal',
    `seen from here, but from ${seen} of ${perspectives.length} other perspectives only, and ${quorum} must see it; ${others.join('; ')}`.slice(
      0,
      2000,
    ),
  );
}

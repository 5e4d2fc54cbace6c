import { sha256Hex } from '../base/index.ts';
import type { Json, MissionPlan } from './kind.ts';

/** Same text for the same value, whatever the order of its keys. */
export function canonicalJson(value: Json): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (value !== null && typeof value === 'object')
    return `{${Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => `${JSON.stringify(key)}:${canonicalJson(item)}`)
      .join(',')}}`;
  return JSON.stringify(value);
}

/** What is approved: inputs, steps and what was resolved. Warnings may come and go with the weather of DNS. */
export function planDigest({ inputs, steps, resolved }: MissionPlan): string {
  return sha256Hex(canonicalJson({ inputs, steps: steps.map((step) => ({ ...step })), resolved }));
}

/** What a person has to look at again, in words. */
export function planDifferences(before: MissionPlan, after: MissionPlan): string[] {
  const line = (step: { action: string; detail: string } | undefined) =>
    step === undefined ? 'nothing' : `${step.action}: ${step.detail}`;
  const names = [...new Set([...before.steps, ...after.steps].map(({ step }) => step))];
  const changed = names.flatMap((name) => {
    const [old, now] = [before, after].map((plan) => plan.steps.find(({ step }) => step === name));
    return line(old) === line(now) ? [] : [`${name} was "${line(old)}" and is now "${line(now)}"`];
  });
  return changed.length > 0 ? changed : ['something that the steps refer to was replaced'];
}

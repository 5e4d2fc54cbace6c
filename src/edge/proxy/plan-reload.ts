import { cacheDirOf, type PlannedListener, type ProxyPlan } from './plan-proxy.ts';

/**
 * What is taken over, one after the other. Listeners that are new and need a certificate of a CA come first and alone:
 * they may not get it, and until they have it, what runs stays. One that takes another's port or cache cannot stand
 * beside it, so then all comes at once.
 */
export function planReload(before: ProxyPlan, next: ProxyPlan): ProxyPlan[] {
  const known = new Set(before.listeners.map(({ plan }) => plan.id));
  const added = next.listeners.filter(({ plan, certificates }) => certificates.mode === 'acme' && !known.has(plan.id));
  if (added.length === 0 || added.some((one) => before.listeners.some((other) => clash(one, other)))) return [next];
  return [{ ...before, listeners: [...before.listeners, ...added] }, next];
}

function clash(one: PlannedListener, other: PlannedListener): boolean {
  const taken = new Set(portsOf(other));
  return (
    portsOf(one).some((port) => taken.has(port)) || cacheDirOf(one.certificates) === cacheDirOf(other.certificates)
  );
}

/** Of any address: one that stands for all is in the way of each other. 0 is any that is free. */
const portsOf = ({ plan: { httpsPort = 0, httpPort = 0 } }: PlannedListener) =>
  [httpsPort, httpPort].filter((port) => port !== 0);

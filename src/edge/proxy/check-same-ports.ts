import { Fault } from '../../base/index.ts';
import type { ProxyPlan } from './plan-proxy.ts';

/** Sockets are handed to workers at their start; other ones need new workers, which a restart brings without a gap. */
export function checkSamePorts(before: ProxyPlan, next: ProxyPlan): void {
  const ports = ({ listeners }: ProxyPlan) =>
    listeners.map(({ plan: { id, address, httpsPort, httpPort } }) => `${id} ${address} ${httpsPort} ${httpPort}`);
  const [old, wanted] = [ports(before), ports(next)];
  if (old.join() === wanted.join()) return;
  throw new Fault({
    code: 'restart_needed',
    detail: `listeners were added, removed or moved (${wanted.join(', ')}), which a reload cannot do`,
    party: 'operator',
    retry: 'never',
    advice: 'restart the proxy: a new one takes the ports over while the old one finishes its requests',
    field: 'listeners',
  });
}

import type { Problems } from '../base/index.ts';
import type { PeerRow } from '../store/peers.ts';
import type { ExposeFacts } from './facts.ts';
import type { ExposeInputs } from './inputs.ts';

/** Where a port mapping leads. `service`: to the exposure's own virtual IP, whose id may not be there yet. */
export type MappingTarget =
  | { readonly kind: 'service'; readonly port: number }
  | { readonly kind: 'virtual-ip'; readonly id: string; readonly name: string; readonly port: number }
  | { readonly kind: 'peer'; readonly id: string; readonly name: string; readonly port: number };

export interface MappingPlan {
  readonly action: 'create' | 'reuse' | 'change';
  readonly target: MappingTarget;
  readonly detail: string;
  readonly warnings: readonly string[];
}

/** Ports of the data plane of this installation, for a hub that runs it and does not say so. */
export interface EdgePorts {
  readonly https: number;
  readonly http: number;
}

/**
 * One mapping of a public port goes to the proxy, and each host behind it has its own route, so a second service never
 * collides with the first. A service that ends TLS itself has the port to itself while it is alone on it; when another
 * joins, the port goes to the proxy, which passes the first one's TLS through by its server name.
 */
export function planMapping(
  inputs: ExposeInputs,
  facts: ExposeFacts,
  hub: PeerRow,
  edge: EdgePorts,
  problems: Problems,
): MappingPlan | undefined {
  const { mapping, mappingExposures } = facts;
  const name = `${inputs.listenPort}/tcp on ${hub.name}`;
  const proxy = proxyTarget(inputs, facts, hub, edge);
  const service: MappingTarget = { kind: 'service', port: inputs.backendPort };
  const alone = inputs.protocol === 'http' ? facts.proxies.length === 0 : inputs.termination === 'backend';
  if (mapping === undefined) {
    const target = alone ? service : proxy.target;
    return {
      action: 'create',
      target,
      detail: `forward ${name} to ${words(target, inputs)}`,
      warnings: alone ? [] : proxy.warnings,
    };
  }
  const leads = (target: MappingTarget): boolean =>
    mapping.target_port === target.port &&
    (target.kind === 'service'
      ? facts.virtualIp !== undefined && mapping.target_virtual_ip_id === facts.virtualIp.id
      : (target.kind === 'virtual-ip' ? mapping.target_virtual_ip_id : mapping.target_peer_id) === target.id);
  const reuse = (target: MappingTarget): MappingPlan => ({
    action: 'reuse',
    target,
    detail: `${name} goes to ${words(target, inputs)} already`,
    warnings: target.kind === 'service' ? [] : proxy.warnings,
  });
  if (leads(proxy.target)) return reuse(proxy.target);
  if (alone && leads(service)) return reuse(service);
  const others = mappingExposures.filter(({ hostname }) => hostname !== inputs.hostname);
  if (mappingExposures.length === 0 || facts.mapping?.opened === 0) {
    problems.add(
      'listen_port',
      'taken',
      `${name} is a port mapping that somebody made by hand (${mapping.id}), and it leads elsewhere`,
      'choose another listen_port, or remove that mapping',
    );
    return undefined;
  }
  // Only this host has it: where it leads is this host's own matter.
  if (others.length === 0 && alone)
    return { action: 'change', target: service, detail: `${name} changes to ${words(service, inputs)}`, warnings: [] };
  const passed = others.map(({ hostname }) => hostname).join(', ');
  return {
    action: 'change',
    target: proxy.target,
    detail: `${name} changes to ${words(proxy.target, inputs)}${passed === '' ? '' : `; ${passed} goes on through it, with its own ${inputs.protocol === 'https' ? 'TLS passed through' : 'route'}`}`,
    warnings: proxy.warnings,
  };
}

function proxyTarget(
  inputs: ExposeInputs,
  { network, proxies, proxyVirtualIp }: ExposeFacts,
  hub: PeerRow,
  edge: EdgePorts,
): { target: MappingTarget; warnings: readonly string[] } {
  const holder = proxies.find(({ id }) => id === proxyVirtualIp?.holder_peer_id);
  const peer = holder ?? proxies.find(({ id }) => id === hub.id) ?? proxies[0];
  const port = (runs: PeerRow | undefined) =>
    inputs.protocol === 'https' ? (runs?.proxy_https_port ?? edge.https) : (runs?.proxy_http_port ?? edge.http);
  if (holder !== undefined && proxyVirtualIp !== undefined)
    return {
      target: { kind: 'virtual-ip', id: proxyVirtualIp.id, name: proxyVirtualIp.name, port: port(holder) },
      warnings: [],
    };
  if (peer !== undefined)
    return { target: { kind: 'peer', id: peer.id, name: peer.name, port: port(peer) }, warnings: [] };
  return {
    target: { kind: 'peer', id: hub.id, name: hub.name, port: port(undefined) },
    warnings: [
      `no peer of ${network?.name ?? 'the network'} is marked as running the proxy, so the hub ${hub.name} is taken to run it at port ${port(undefined)}`,
    ],
  };
}

function words(target: MappingTarget, inputs: ExposeInputs): string {
  if (target.kind === 'service') return `the service's virtual IP, port ${target.port}`;
  const place = target.kind === 'peer' ? `the proxy on ${target.name}` : 'the proxy’s virtual IP';
  return `${place}, port ${target.port}${inputs.termination === 'backend' && inputs.protocol === 'https' ? ', which passes TLS through' : ''}`;
}

import { createProblems, type Problems } from '../base/index.ts';
import type { JsonObject, MissionPlan, PlannedStep } from '../missions/index.ts';
import { checkReferences } from './check-expose.ts';
import { type ExposeFacts, virtualIpName } from './facts.ts';
import type { ExposeInputs } from './inputs.ts';
import { type EdgePorts, type MappingPlan, planMapping } from './plan-mapping.ts';
import type { KnownCertificate } from './ports.ts';
import { lackingReachability } from './reachability.ts';

export interface PlanSettings {
  readonly edge: EdgePorts;
  readonly isGlobal: (address: string) => boolean;
}

/**
 * The plan to make a service public: what is made, what is used again, and what the internet still lacks. Pure. Throws
 * one `Fault` with everything that is wrong, those of `problems` (found while reading the inputs) included.
 */
export function planExpose(
  given: Partial<ExposeInputs>,
  facts: ExposeFacts,
  settings: PlanSettings,
  now: number,
  problems: Problems = createProblems(),
): MissionPlan {
  checkReferences(given, facts, problems);
  checkExposures(given, facts, problems);
  const complete = isComplete(given) ? given : undefined;
  const mapping = complete && facts.hub && planMapping(complete, facts, facts.hub, settings.edge, problems);
  problems.throwIfAny();
  const inputs = complete!;
  const { network, hub } = facts as Required<ExposeFacts>;
  const holder = (facts.targetPeer ?? facts.instancePeer)!;
  const { certificate } = facts;
  const reused =
    certificate?.servedIssuer === inputs.issuer && (certificate.notAfter ?? 0) > now ? certificate : undefined;
  const https = inputs.protocol === 'https';
  const certified = https && inputs.termination === 'proxy';
  return {
    title: `Make ${inputs.hostname} reachable from the internet over ${inputs.protocol}`,
    inputs: canonicalInputs(inputs, facts),
    steps: [
      virtualIpStep(inputs, facts),
      { step: 'port_mapping', action: mapping!.action, detail: mapping!.detail },
      ...(certified ? [certificateStep(inputs, reused)] : []),
      ...(https ? [proxyStep(inputs)] : []),
      {
        step: 'probe',
        action: 'check',
        detail: https ? 'look at the served certificate and the route' : 'look at the route',
      },
    ],
    warnings: [
      ...virtualIpWarnings(inputs, facts),
      ...mapping!.warnings,
      ...familyWarnings(mapping!, facts),
      ...(certified ? issuerWarnings(inputs, reused !== undefined) : []),
      ...(https && !certified ? ownCertificateWarnings(inputs) : []),
      ...lackingReachability(inputs.hostname, hub, facts.dns, settings.isGlobal),
    ],
    resolved: {
      hostname: inputs.hostname,
      protocol: inputs.protocol,
      termination: inputs.termination,
      network_id: network.id,
      hub_peer_id: hub.id,
      holder_peer_id: holder.id,
      listen_port: inputs.listenPort,
      backend_port: inputs.backendPort,
      virtual_ip_id: facts.virtualIp?.id ?? null,
      ipv6: facts.virtualIp?.ipv6 ?? facts.addresses?.ipv6 ?? null,
      ipv4: facts.virtualIp?.ipv4 ?? facts.addresses?.ipv4 ?? null,
      mapping_id: facts.mapping?.id ?? null,
      mapping_target: { ...mapping!.target },
      issuer: certified ? inputs.issuer : null,
      challenge: certified ? (inputs.challenge ?? null) : null,
      dns_credential_id: (certified && facts.credential?.id) || null,
      certificate_id: reused?.id ?? null,
    },
  };
}

function isComplete(inputs: Partial<ExposeInputs>): inputs is ExposeInputs {
  const { hostname, protocol, network, hub, vipCidr, backendPort, listenPort, targetPeer, targetInstance } = inputs;
  const target = targetPeer ?? targetInstance;
  return [hostname, protocol, network, hub, vipCidr, backendPort, listenPort, target].every((v) => v !== undefined);
}

/** The inputs again, with ids for names: planning from these gives this plan while nothing changes. */
function canonicalInputs(inputs: ExposeInputs, facts: ExposeFacts): JsonObject {
  return {
    service_hostname: inputs.hostname,
    service_protocol: inputs.protocol,
    sdwan_network_id: facts.network!.id,
    sdwan_hub_peer_id: facts.hub!.id,
    vip_cidr: inputs.vipCidr,
    backend_port: inputs.backendPort,
    ...(facts.targetPeer !== undefined
      ? { target_peer_id: facts.targetPeer.id }
      : { target_instance_id: facts.targetInstance!.id }),
    ...(inputs.protocol === 'https' &&
      inputs.termination === 'proxy' && {
        tls_issuer: inputs.issuer,
        ...(inputs.challenge !== undefined && { challenge_type: inputs.challenge }),
        ...(facts.credential !== undefined && { dns_credential_id: facts.credential.id }),
      }),
    termination: inputs.termination,
    listen_port: inputs.listenPort,
  };
}

function checkExposures(inputs: Partial<ExposeInputs>, facts: ExposeFacts, problems: Problems): void {
  const { network, hub, exposures } = facts;
  if (network === undefined || hub === undefined) return;
  for (const other of exposures) {
    if (other.network_id !== network.id || (other.protocol === inputs.protocol && other.hub_peer_id !== hub.id))
      problems.add(
        'service_hostname',
        'exposed_elsewhere',
        `${inputs.hostname} is exposed over ${other.protocol} already, on another ${other.network_id === network.id ? 'hub' : 'network'}`,
        `withdraw that first: gatehouse unexpose ${inputs.hostname}`,
      );
    else if (other.status === 'withdrawing')
      problems.add('service_hostname', 'being_withdrawn', `${inputs.hostname} is being withdrawn; wait for that`);
    else if (
      other.protocol !== inputs.protocol &&
      other.backend_port !== inputs.backendPort &&
      facts.proxies.length > 0
    )
      problems.add(
        'backend_port',
        'differs',
        `${inputs.hostname} is exposed over ${other.protocol} with the backend port ${other.backend_port}, and a route has one`,
      );
  }
}

function virtualIpStep(inputs: ExposeInputs, { virtualIp, addresses, ...facts }: ExposeFacts): PlannedStep {
  const holder = (facts.targetPeer ?? facts.instancePeer)!;
  const name = virtualIpName(inputs.hostname);
  const text = [virtualIp?.ipv6 ?? addresses?.ipv6, virtualIp?.ipv4 ?? addresses?.ipv4].filter(Boolean).join(' and ');
  const base = { step: 'virtual_ip' };
  if (virtualIp === undefined)
    return { ...base, action: 'create', detail: `virtual IP ${name} at ${text}, held by ${holder.name}` };
  if (virtualIp.holder_peer_id === holder.id)
    return { ...base, action: 'reuse', detail: `virtual IP ${name} at ${text}, held by ${holder.name}` };
  return { ...base, action: 'change', detail: `virtual IP ${name} at ${text} moves to ${holder.name}` };
}

function virtualIpWarnings({ vipCidr, hostname }: ExposeInputs, { virtualIp }: ExposeFacts): string[] {
  if (virtualIp === undefined) return [];
  const same = [virtualIp.ipv6, virtualIp.ipv4].some((address) => address !== null && vipCidr.includes(`${address}/`));
  const there = virtualIp.ipv6 ?? virtualIp.ipv4;
  return same
    ? []
    : [`the virtual IP ${virtualIpName(hostname)} is there already, at ${there}; ${vipCidr} is not used`];
}

function certificateStep(inputs: ExposeInputs, reused: KnownCertificate | undefined): PlannedStep {
  const until = new Date(reused?.notAfter ?? 0).toISOString().slice(0, 10);
  if (reused !== undefined) {
    const whose = reused.names.join() === inputs.hostname ? '' : ` for ${namesInWords(reused.names)}`;
    return {
      step: 'certificate',
      action: 'reuse',
      detail: `${inputs.issuer} certificate${whose}, good until ${until}`,
    };
  }
  const how = inputs.challenge === undefined ? '' : ` by ${inputs.challenge}`;
  return { step: 'certificate', action: 'create', detail: `${inputs.issuer} certificate for ${inputs.hostname}${how}` };
}

function proxyStep({ hostname, termination, backendPort }: ExposeInputs): PlannedStep {
  const detail =
    termination === 'proxy'
      ? `route ${hostname} to its virtual IP, port ${backendPort}, and serve the certificate`
      : `route ${hostname} to its virtual IP, port ${backendPort}, passing TLS through by server name; no certificate is got, the service has its own`;
  return { step: 'proxy', action: 'compose', detail };
}

const namesInWords = (names: readonly string[]): string =>
  names.length <= 3 ? names.join(', ') : `${names.slice(0, 2).join(', ')} and ${names.length - 2} more`;

const ownCertificateWarnings = ({ hostname }: ExposeInputs): string[] => [
  `the service ends TLS itself, so no certificate is got here: it needs its own for ${hostname}`,
];

function issuerWarnings({ issuer, challenge }: ExposeInputs, reused: boolean): string[] {
  const warnings: string[] = [];
  if (issuer === 'letsencrypt-staging')
    warnings.push('letsencrypt-staging is for trying: its root is not trusted, and browsers warn');
  if (issuer === 'letsencrypt-prod' && !reused)
    warnings.push(
      'letsencrypt-prod allows 50 certificates a week for a registered domain: try with letsencrypt-staging first',
    );
  if (challenge === 'http-01' || challenge === 'tls-alpn-01')
    warnings.push(
      `${challenge} needs the host name to resolve to the hub, and the hub to lead to the proxy; dns-01 needs neither`,
    );
  return warnings;
}

/** A literal translation cannot change the family, as a proxy does. */
function familyWarnings({ target }: MappingPlan, { virtualIp, addresses, hub }: ExposeFacts): string[] {
  if (target.kind !== 'service') return [];
  const place = virtualIp ?? addresses;
  const lacks = (['ipv4', 'ipv6'] as const).filter(
    (family) => place?.[family] === null && hub?.[`public_${family}`] !== null,
  );
  return lacks.map(
    (family) =>
      `the virtual IP has no ${family === 'ipv4' ? 'IPv4' : 'IPv6'} address, so clients of the hub's ${hub?.[`public_${family}`]} are not forwarded; name one of each in vip_cidr, or use termination: proxy`,
  );
}

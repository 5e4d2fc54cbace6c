import type { Problems } from '../base/index.ts';
import type { ExposeFacts } from './facts.ts';
import { type ExposeInputs, isProvedInDns } from './inputs.ts';
import { matchesZone } from './zone.ts';

/** Every reference of the inputs against what there is. Each problem says what to do about it. */
export function checkReferences(inputs: Partial<ExposeInputs>, facts: ExposeFacts, problems: Problems): void {
  const network = facts.network?.name ?? inputs.network;
  if (inputs.network !== undefined && facts.network === undefined)
    problems.add(
      'sdwan_network_id',
      'network_not_found',
      `there is no network ${inputs.network}`,
      'gatehouse networks list',
    );
  if (inputs.hub !== undefined && facts.network !== undefined) checkHub(inputs.hub, facts, problems);
  if (inputs.targetPeer !== undefined && facts.network !== undefined && facts.targetPeer === undefined)
    problems.add('target_peer_id', 'peer_not_found', `the network ${network} has no peer ${inputs.targetPeer}`);
  if (inputs.targetInstance !== undefined) checkInstance(inputs.targetInstance, facts, problems);
  for (const { field, code, detail, advice } of facts.addressProblems)
    problems.add(field ?? 'vip_cidr', code, detail, advice);
  if (inputs.protocol !== 'https' || inputs.termination === 'backend') return;
  if (inputs.issuer !== undefined && !facts.issuers.includes(inputs.issuer))
    problems.add(
      'tls_issuer',
      'issuer_not_found',
      `there is no issuer ${inputs.issuer}; there are ${facts.issuers.join(', ') || 'none'}`,
    );
  if (isProvedInDns(inputs.challenge) && inputs.credential !== undefined) checkCredential(inputs, facts, problems);
}

function checkHub(reference: string, { hub, network }: ExposeFacts, problems: Problems): void {
  if (hub === undefined)
    problems.add('sdwan_hub_peer_id', 'peer_not_found', `the network ${network?.name} has no peer ${reference}`);
  else if (hub.publicly_reachable === 0)
    problems.add(
      'sdwan_hub_peer_id',
      'not_a_hub',
      `${hub.name} is not publicly reachable, so it cannot terminate a public port`,
      'choose a peer with publicly_reachable=true that holds a routable public address',
    );
}

function checkInstance(reference: string, facts: ExposeFacts, problems: Problems): void {
  if (facts.targetInstance === undefined)
    problems.add('target_instance_id', 'instance_not_found', `there is no instance ${reference}`);
  else if (facts.network !== undefined && facts.instancePeer === undefined)
    problems.add(
      'target_instance_id',
      'instance_not_attached',
      `the instance ${facts.targetInstance.name} has no peer in the network ${facts.network.name}`,
      'attach the instance to the network first or pass target_peer_id',
    );
}

function checkCredential(inputs: Partial<ExposeInputs>, facts: ExposeFacts, problems: Problems): void {
  const { credential } = facts;
  if (credential === undefined) {
    const known = facts.credentialNames.join(', ') || 'none yet';
    problems.add(
      'dns_credential_id',
      'credential_not_found',
      `there is no DNS credential ${inputs.credential}; there are ${known}`,
      'gatehouse dns-credentials create',
    );
    return;
  }
  if (inputs.hostname !== undefined && !matchesZone(inputs.hostname, credential.zones))
    problems.add(
      'dns_credential_id',
      'credential_for_other_zones',
      `the DNS credential ${credential.name} is for ${credential.zones.join(', ')}, and ${inputs.hostname} is not in there`,
      'choose a credential for its zone',
    );
  if (credential.validation === 'failed')
    problems.add(
      'dns_credential_id',
      'credential_failed',
      `the DNS credential ${credential.name} failed its last test${credential.validationDetail === undefined ? '' : `: ${credential.validationDetail}`}`,
      `a token of too narrow a scope, or an expired one, is the usual cause; mend it and test again: gatehouse dns-credentials validate ${credential.id}`,
    );
}

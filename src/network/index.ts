// network owns overlay networks, peers, virtual IPs and port mappings, the compilers of nftables and WireGuard
// configuration, and the agents that apply them. It refuses to know hostnames, certificates and who may do what.
export {
  type Cidr,
  canonicalAddress,
  cidrText,
  contains,
  type Family,
  freeAddress,
  isGlobal,
  parseCidr,
} from './address.ts';
export { type AgentDeps, runAgent } from './agent/agent.ts';
export { type AgentIdentity, enrolAgent, loadIdentity } from './agent/identity.ts';
export { createMachine, type Machine } from './agent/machine.ts';
export { type WireguardPlace, wireguardKey } from './agent/wireguard.ts';
export { createAgentHandler } from './agent-server.ts';
export type { Collection, Document, PageRequest } from './collection.ts';
export { compileNftables } from './compile-nftables.ts';
export type { NetworkDeps } from './deps.ts';
export { type DesiredState, desiredState, TABLE } from './desired-state.ts';
export { type AgentCaPort, createEnrolments, type Enrolments } from './enrolment.ts';
export { type HubIntent, type NetworkFacts, resolveHub, type UnresolvedMapping } from './hub-intent.ts';
export { createInstances } from './instances.ts';
export { closeMappingKind, openMappingKind } from './mapping-missions.ts';
export { createNetworks, freeAddressesOf } from './networks.ts';
export { createPeers } from './peers.ts';
export { createPortMappings } from './port-mappings.ts';
export { renderWireguard, type WireguardConfig } from './render-wireguard.ts';
export { parseHostCidrs } from './vip-cidr.ts';
export { createVirtualIps, virtualAddresses } from './virtual-ips.ts';

import { createProblems, type FaultDetails } from '../base/index.ts';
import { type ExposureRow, exposuresOfHost, exposuresOfMapping } from '../store/exposures.ts';
import type { Db } from '../store/index.ts';
import { findInstance, findNetwork, type InstanceRow, type NetworkRow } from '../store/networks.ts';
import { findPeer, type PeerRow, peerOfInstance, peersOfNetwork } from '../store/peers.ts';
import {
  findPortMapping,
  findVirtualIp,
  type PortMappingRow,
  type VirtualIpRow,
  virtualIpsOfNetwork,
} from '../store/virtual-ips.ts';
import type { ExposeInputs } from './inputs.ts';
import type {
  AddressLookupPort,
  CertificatePort,
  CredentialPort,
  IssuerPort,
  KnownCertificate,
  KnownCredential,
  OverlayPort,
} from './ports.ts';

/** Name of the virtual IP of a host: how a second run finds what the first made. */
export const virtualIpName = (hostname: string): string => `expose-${hostname}`;
/** A virtual IP of this name in a network is the proxy's. */
export const PROXY_VIRTUAL_IP = 'proxy';

/** Everything that the plan looks at, read once. What a reference did not lead to is absent. */
export interface ExposeFacts {
  readonly network?: NetworkRow;
  readonly hub?: PeerRow;
  readonly targetPeer?: PeerRow;
  readonly targetInstance?: InstanceRow;
  /** The instance's peer in the network. */
  readonly instancePeer?: PeerRow;
  readonly virtualIp?: VirtualIpRow;
  /** The addresses that `vip_cidr` names, or what is wrong with it; neither when a virtual IP is there already. */
  readonly addresses?: { ipv6: string | null; ipv4: string | null };
  readonly addressProblems: readonly FaultDetails[];
  readonly mapping?: PortMappingRow;
  readonly mappingExposures: readonly ExposureRow[];
  /** The peers of the network that run a proxy, and the virtual IP of the proxy. */
  readonly proxies: readonly PeerRow[];
  readonly proxyVirtualIp?: VirtualIpRow;
  readonly exposures: readonly ExposureRow[];
  readonly issuers: readonly string[];
  readonly credential?: KnownCredential;
  readonly credentialNames: readonly string[];
  readonly certificate?: KnownCertificate;
  readonly dns: { readonly addresses: readonly string[]; readonly problem?: string };
}

export interface FactPorts {
  readonly overlay: OverlayPort;
  readonly certificates: CertificatePort;
  readonly issuers: IssuerPort;
  readonly credentials: CredentialPort;
  readonly addresses: AddressLookupPort;
}

export async function gatherExposeFacts(db: Db, ports: FactPorts, inputs: Partial<ExposeInputs>): Promise<ExposeFacts> {
  const { hostname, protocol } = inputs;
  const network = inputs.network === undefined ? undefined : await findNetwork(db, inputs.network);
  const peer = async (reference: string | undefined) =>
    network === undefined || reference === undefined ? undefined : findPeer(db, network.id, reference);
  const instance = inputs.targetInstance === undefined ? undefined : await findInstance(db, inputs.targetInstance);
  const hub = await peer(inputs.hub);
  const peers = network === undefined ? [] : await peersOfNetwork(db, network.id);
  const virtualIps = network === undefined ? [] : await virtualIpsOfNetwork(db, network.id);
  const virtualIp = network && hostname ? await findVirtualIp(db, network.id, virtualIpName(hostname)) : undefined;
  const mapping =
    hub && inputs.listenPort !== undefined ? await findPortMapping(db, hub.id, inputs.listenPort, 'tcp') : undefined;
  const credentials = inputs.credential === undefined ? [] : await ports.credentials.list();
  const problems = createProblems();
  const addresses =
    network !== undefined && virtualIp === undefined && inputs.vipCidr !== undefined
      ? await ports.overlay.virtualAddresses(db, network, inputs.vipCidr, problems)
      : undefined;
  const certificate =
    hostname !== undefined && protocol === 'https' && inputs.termination === 'proxy' && inputs.issuer !== undefined
      ? await ports.certificates.find(hostname, inputs.issuer)
      : undefined;
  return defined({
    network,
    hub,
    targetPeer: await peer(inputs.targetPeer),
    targetInstance: instance,
    instancePeer: network && instance ? await peerOfInstance(db, network.id, instance.id) : undefined,
    virtualIp,
    addresses,
    addressProblems: problems.found,
    mapping,
    mappingExposures: mapping === undefined ? [] : await exposuresOfMapping(db, mapping.id),
    proxies: peers.filter(({ proxy_https_port }) => proxy_https_port !== null),
    proxyVirtualIp: virtualIps.find(({ name }) => name === PROXY_VIRTUAL_IP),
    exposures: hostname === undefined ? [] : await exposuresOfHost(db, hostname),
    issuers: await ports.issuers.ids(),
    credential: credentials.find(({ id, name }) => id === inputs.credential || name === inputs.credential),
    credentialNames: credentials.map(({ name }) => name),
    certificate,
    dns: hostname === undefined ? { addresses: [] } : await ports.addresses.lookup(hostname),
  });
}

type Defined<T> = { [K in keyof T as undefined extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as undefined extends T[K] ? K : never]?: Exclude<T[K], undefined>;
};

function defined<T extends object>(value: T): Defined<T> {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as Defined<T>;
}

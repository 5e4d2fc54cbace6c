import type { Network, Peer, VirtualIp } from '../../api/documents.ts';

/** What there is to choose from in a form. */
export interface Known {
  readonly networks: readonly Network[];
  readonly peers: readonly Peer[];
  readonly virtualIps: readonly VirtualIp[];
}

export interface FormField {
  readonly name: string;
  readonly label: string;
  readonly hint?: string;
  readonly placeholder?: string;
  readonly required?: boolean;
  /** `number` is sent as one; `list` is split at spaces and commas; `flag` is a checkbox. */
  readonly type?: 'text' | 'number' | 'list' | 'flag';
  readonly choices?: (known: Known) => readonly { readonly id: string; readonly title: string }[];
}

export interface Kind {
  readonly path: string;
  readonly noun: string;
  readonly none: string;
  readonly consequence: string;
  readonly fields: readonly FormField[];
}

const network: FormField = {
  name: 'network_id',
  label: 'Network',
  required: true,
  choices: ({ networks }) => networks.map(({ id, name }) => ({ id, title: name })),
};
const peers = (
  label: string,
  name: string,
  required: boolean,
  only: (peer: Peer) => boolean = () => true,
): FormField => ({
  name,
  label,
  required,
  choices: (known) => known.peers.filter(only).map((peer) => ({ id: peer.id, title: peer.name })),
});

export const KINDS = {
  networks: {
    path: '/system/sdwan/networks',
    noun: 'network',
    none: 'Services, hubs and virtual IPs live in an overlay network. Make the first one here.',
    consequence: 'It must be empty. Agents forget it at their next look.',
    fields: [
      { name: 'name', label: 'Name', required: true, placeholder: 'core' },
      {
        name: 'topology',
        label: 'Shape',
        choices: () => [
          { id: 'hub-and-spoke', title: 'Hub and spoke' },
          { id: 'mesh', title: 'Mesh' },
        ],
      },
      { name: 'ipv6', label: 'IPv6', placeholder: 'fd42:1:2:3::/64', hint: 'A /64' },
      { name: 'ipv4', label: 'IPv4', placeholder: '10.42.0.0/24', hint: 'A range; one of the two is enough' },
    ],
  },
  peers: {
    path: '/system/sdwan/peers',
    noun: 'peer',
    none: 'Peers are the machines of a network: hubs that the internet reaches, and those that run services.',
    consequence: 'Its agent loses its place; what it forwards or holds must be gone first.',
    fields: [
      network,
      { name: 'name', label: 'Name', required: true, placeholder: 'hub-1' },
      { name: 'ipv6', label: 'IPv6 in the network', placeholder: 'fd42:1:2:3::1' },
      { name: 'ipv4', label: 'IPv4 in the network', placeholder: '10.42.0.1' },
      { name: 'publicly_reachable', label: 'The internet reaches it: it is a hub', type: 'flag' },
      { name: 'public_ipv6', label: 'Public IPv6' },
      { name: 'public_ipv4', label: 'Public IPv4' },
      { name: 'endpoint', label: 'WireGuard endpoint', placeholder: 'hub.example.com:51820' },
    ],
  },
  'virtual-ips': {
    path: '/system/sdwan/virtual_ips',
    noun: 'virtual IP',
    none: 'A virtual IP is the stable address that fronts a service. Exposing a service makes its own.',
    consequence: 'Its holder takes the address away; what is forwarded to it must be gone first.',
    fields: [
      network,
      { name: 'name', label: 'Name', required: true },
      { name: 'vip_cidr', label: 'Address', required: true, hint: 'A /128 within the network, or a /32' },
      peers('Held by', 'holder_peer_id', true),
    ],
  },
  'port-mappings': {
    path: '/system/sdwan/port_mappings',
    noun: 'port mapping',
    none: 'A hub forwards what a port mapping says, after somebody approved it.',
    consequence: 'This proposes a mission; the hub stops forwarding when it is approved.',
    fields: [
      network,
      peers('Hub', 'hub_peer_id', true, ({ publicly_reachable }) => publicly_reachable),
      { name: 'listen_port', label: 'Public port', required: true, type: 'number' },
      {
        name: 'protocol',
        label: 'Protocol',
        choices: () => [
          { id: 'tcp', title: 'tcp' },
          { id: 'udp', title: 'udp' },
        ],
      },
      {
        name: 'target_virtual_ip_id',
        label: 'To the virtual IP',
        hint: 'Exactly one of these two',
        choices: ({ virtualIps }) => virtualIps.map(({ id, name }) => ({ id, title: name })),
      },
      peers('or to the peer', 'target_peer_id', false),
      { name: 'target_port', label: 'Port behind it', required: true, type: 'number' },
      { name: 'new_per_second', label: 'New connections a second', type: 'number', hint: 'Empty: no limit' },
      { name: 'most_connections', label: 'Connections at once', type: 'number', hint: 'Empty: no limit' },
      { name: 'sources_ipv4', label: 'IPv4 sources', type: 'list', hint: 'Empty: any' },
      { name: 'sources_ipv6', label: 'IPv6 sources', type: 'list', hint: 'Empty: any' },
    ],
  },
} as const satisfies Record<string, Kind>;

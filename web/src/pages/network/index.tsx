import { type ReactNode, useState } from 'react';
import { Button } from 'react-aria-components';
import { Link, Redirect, Route, Switch, useLocation } from 'wouter';
import type { Network, Peer, PortMapping, VirtualIp } from '../../api/documents.ts';
import { useList } from '../../api/hooks.ts';
import { Time } from '../../components/time.tsx';
import { Gate } from '../../shell/console.tsx';
import { Page, Tabs } from '../../shell/page.tsx';
import { Create } from './create.tsx';
import { Enrol } from './enrol.tsx';
import { KINDS, type Kind, type Known } from './kinds.ts';
import { type Column, Table } from './table.tsx';

const TABS: readonly { path: string; title: string; kind: Kind }[] = [
  { path: '/networks', title: 'Networks', kind: KINDS.networks },
  { path: '/peers', title: 'Peers', kind: KINDS.peers },
  { path: '/virtual-ips', title: 'Virtual IPs', kind: KINDS['virtual-ips'] },
  { path: '/port-mappings', title: 'Port mappings', kind: KINDS['port-mappings'] },
];

export default function NetworkPlace() {
  return (
    <Gate anyOf={['system.network.manage']}>
      <Places />
    </Gate>
  );
}

function Places() {
  const [location] = useLocation();
  const [making, setMaking] = useState(false);
  const known: Known = {
    networks: useList<Network>('/system/sdwan/networks', {}, 500).rows,
    peers: useList<Peer>('/system/sdwan/peers', {}, 500).rows,
    virtualIps: useList<VirtualIp>('/system/sdwan/virtual_ips', {}, 500).rows,
  };
  const kind = TABS.find(({ path }) => path === location)?.kind;
  return (
    <Page
      title="Network"
      lead="Overlay networks, their peers, the addresses that front services, and what hubs forward."
      actions={
        kind !== undefined && (
          <Button className="button primary" onPress={() => setMaking(true)}>
            New {kind.noun}
          </Button>
        )
      }
    >
      <Tabs label="Network" tabs={TABS} />
      <Switch>
        <Route path="/networks">
          <Table kind={KINDS.networks} columns={NETWORKS} />
        </Route>
        <Route path="/peers">
          <Table kind={KINDS.peers} columns={peerColumns(known)} />
        </Route>
        <Route path="/virtual-ips">
          <Table kind={KINDS['virtual-ips']} columns={virtualIpColumns(known)} />
        </Route>
        <Route path="/port-mappings">
          <Table kind={KINDS['port-mappings']} columns={mappingColumns(known)} />
        </Route>
        <Route>
          <Redirect to="/networks" replace />
        </Route>
      </Switch>
      {making && kind !== undefined && <Create kind={kind} known={known} onClose={() => setMaking(false)} />}
    </Page>
  );
}

const addresses = (...all: (string | null)[]): ReactNode => (
  <span className="mono">{all.filter((address) => address !== null).join(', ') || '–'}</span>
);
const nameOf = (rows: readonly { id: string; name: string }[], id: string | null): string =>
  rows.find((row) => row.id === id)?.name ?? id ?? '–';

const NETWORKS: readonly Column<Network>[] = [
  { title: 'Name', cell: (row) => <strong>{row.name}</strong> },
  { title: 'Addresses', cell: (row) => addresses(row.ipv6, row.ipv4) },
  { title: 'Shape', cell: (row) => row.topology },
];

const peerColumns = ({ networks }: Known): readonly Column<Peer>[] => [
  { title: 'Name', cell: (row) => <strong>{row.name}</strong> },
  { title: 'Network', cell: (row) => nameOf(networks, row.network_id) },
  { title: 'In the network', cell: (row) => addresses(row.ipv6, row.ipv4) },
  { title: 'Public', cell: (row) => (row.publicly_reachable ? addresses(row.public_ipv6, row.public_ipv4) : 'no') },
  {
    title: 'Agent',
    cell: (row) => (
      <span className="actions">
        {row.agent === null ? (
          <span className="quiet">not enrolled</span>
        ) : (
          <span>
            seen <Time at={row.agent.seen_at} />
          </span>
        )}
        <Enrol peer={row} />
      </span>
    ),
  },
];

const virtualIpColumns = ({ networks, peers }: Known): readonly Column<VirtualIp>[] => [
  { title: 'Name', cell: (row) => <strong>{row.name}</strong> },
  { title: 'Network', cell: (row) => nameOf(networks, row.network_id) },
  { title: 'Address', cell: (row) => <span className="mono">{row.vip_cidr}</span> },
  { title: 'Held by', cell: (row) => nameOf(peers, row.holder_peer_id) },
];

const mappingColumns = ({ peers, virtualIps }: Known): readonly Column<PortMapping>[] => [
  { title: 'Port', cell: (row) => <strong>{`${row.listen_port}/${row.protocol}`}</strong> },
  { title: 'Hub', cell: (row) => nameOf(peers, row.hub_peer_id) },
  {
    title: 'To',
    cell: (row) =>
      `${row.target_peer_id === null ? nameOf(virtualIps, row.target_virtual_ip_id) : nameOf(peers, row.target_peer_id)}, port ${row.target_port}`,
  },
  { title: 'Limits', cell: limitsOf },
  {
    title: 'Open',
    cell: (row) =>
      row.opened ? <span className="pill good">open</span> : <Link href="~/app/missions">waits for approval</Link>,
  },
];

function limitsOf(row: PortMapping): string {
  const sources = row.sources_ipv4.length + row.sources_ipv6.length;
  const limits = [
    row.new_per_second !== null && `${row.new_per_second} new/s`,
    row.most_connections !== null && `${row.most_connections} at once`,
    sources > 0 && `${sources} ${sources === 1 ? 'source' : 'sources'}`,
  ].filter((limit) => limit !== false);
  return limits.join(', ') || 'none';
}

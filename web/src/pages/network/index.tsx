import type { ReactNode } from 'react';
import { Redirect, Route, Switch } from 'wouter';
import type { Network, Peer, PortMapping, VirtualIp } from '../../api/documents.ts';
import { useList } from '../../api/hooks.ts';
import { Empty, Loaded } from '../../components/states.tsx';
import { Time } from '../../components/time.tsx';
import { Gate } from '../../shell/console.tsx';
import { Page, Tabs } from '../../shell/page.tsx';

const TABS = [
  { path: '/networks', title: 'Networks' },
  { path: '/peers', title: 'Peers' },
  { path: '/virtual-ips', title: 'Virtual IPs' },
  { path: '/port-mappings', title: 'Port mappings' },
];

export default function NetworkPlace() {
  return (
    <Gate anyOf={['system.network.manage']}>
      <Page
        title="Network"
        lead="Overlay networks, their peers, the addresses that front services, and what hubs forward."
      >
        <Tabs label="Network" tabs={TABS} />
        <Switch>
          <Route path="/networks" component={Networks} />
          <Route path="/peers" component={Peers} />
          <Route path="/virtual-ips" component={VirtualIps} />
          <Route path="/port-mappings" component={PortMappings} />
          <Route>
            <Redirect to="/networks" replace />
          </Route>
        </Switch>
      </Page>
    </Gate>
  );
}

interface Column<Row> {
  readonly title: string;
  readonly cell: (row: Row) => ReactNode;
}

function Table<Row extends { id: string }>({
  path,
  columns,
  none,
}: {
  path: string;
  columns: readonly Column<Row>[];
  none: string;
}) {
  const list = useList<Row>(path);
  return (
    <Loaded query={list}>
      {() =>
        list.rows.length === 0 ? (
          <Empty title={none} />
        ) : (
          <section className="card flush">
            <table className="rows">
              <thead>
                <tr>
                  {columns.map(({ title }) => (
                    <th key={title} scope="col">
                      {title}
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {list.rows.map((row) => (
                  <tr key={row.id}>
                    {columns.map(({ title, cell }) => (
                      <td key={title} data-label={title}>
                        {cell(row)}
                      </td>
                    ))}
                  </tr>
                ))}
              </tbody>
            </table>
          </section>
        )
      }
    </Loaded>
  );
}

const both = (...addresses: (string | null)[]) => addresses.filter((address) => address !== null).join(', ') || '–';

const Networks = () => (
  <Table<Network>
    path="/system/sdwan/networks"
    none="No network yet"
    columns={[
      { title: 'Name', cell: (row) => <strong>{row.name}</strong> },
      { title: 'Addresses', cell: (row) => <span className="mono">{both(row.ipv6, row.ipv4)}</span> },
      { title: 'Shape', cell: (row) => row.topology },
    ]}
  />
);

const Peers = () => (
  <Table<Peer>
    path="/system/sdwan/peers"
    none="No peer yet"
    columns={[
      { title: 'Name', cell: (row) => <strong>{row.name}</strong> },
      { title: 'In the network', cell: (row) => <span className="mono">{both(row.ipv6, row.ipv4)}</span> },
      {
        title: 'Public',
        cell: (row) =>
          row.publicly_reachable ? <span className="mono">{both(row.public_ipv6, row.public_ipv4)}</span> : 'no',
      },
      {
        title: 'Agent',
        cell: (row) =>
          row.agent === null ? (
            <span className="quiet">not enrolled</span>
          ) : (
            <>
              seen <Time at={row.agent.seen_at} />
            </>
          ),
      },
    ]}
  />
);

const VirtualIps = () => (
  <Table<VirtualIp>
    path="/system/sdwan/virtual_ips"
    none="No virtual IP yet"
    columns={[
      { title: 'Name', cell: (row) => <strong>{row.name}</strong> },
      { title: 'Address', cell: (row) => <span className="mono">{row.vip_cidr}</span> },
      { title: 'Held by', cell: (row) => <span className="mono">{row.holder_peer_id}</span> },
    ]}
  />
);

const PortMappings = () => (
  <Table<PortMapping>
    path="/system/sdwan/port_mappings"
    none="No port mapping yet"
    columns={[
      { title: 'Port', cell: (row) => `${row.listen_port}/${row.protocol}` },
      { title: 'Hub', cell: (row) => <span className="mono">{row.hub_peer_id}</span> },
      {
        title: 'To',
        cell: (row) => (
          <span className="mono">
            {row.target_virtual_ip_id ?? row.target_peer_id}:{row.target_port}
          </span>
        ),
      },
      { title: 'Open', cell: (row) => (row.opened ? 'yes' : 'waits for approval') },
    ]}
  />
);

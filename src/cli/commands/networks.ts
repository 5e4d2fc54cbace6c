import type { Command } from 'commander';
import type { Enrolment, Mission, OwnDocument } from '../../contract/index.ts';
import type { Act } from '../context.ts';
import { parseSettings } from '../settings.ts';

const KINDS = {
  instances: ['instances', 'name=app-1'],
  peers: ['peers', 'name=hub-1 network_id=office ipv6=fd00:1::1 publicly_reachable=true public_ipv4=203.0.113.5'],
  'virtual-ips': ['virtual_ips', 'name=metrics network_id=office vip_cidr=fd00:1::10/128 holder_peer_id=app-1'],
  'port-mappings': [
    'port_mappings',
    'network_id=office hub_peer_id=hub-1 listen_port=443 target_virtual_ip_id=metrics target_port=443',
  ],
} as const;

export function networkCommands(program: Command, act: Act): void {
  const networks = program
    .command('networks')
    .description('overlay networks, their peers, virtual IPs and port mappings');
  collection(networks, act, 'networks', 'name=office ipv6=fd00:1::/64');
  for (const [word, [kind, example]] of Object.entries(KINDS)) {
    const parent = networks.command(word).description(`${word.replace('-', ' ')} of networks`);
    collection(parent, act, kind, example);
    if (kind === 'peers') enrolment(parent, act);
  }
}

function enrolment(peers: Command, act: Act): void {
  peers
    .command('enrol <peer>')
    .description('a token with which the agent on the peer enrols, once and soon')
    .action(
      act(async ({ client, output }, id: string) => {
        const made = await client.call<Enrolment>('POST', `/system/sdwan/peers/${encodeURIComponent(id)}/enrol`);
        if (output.json) return output.value(made);
        output.note('Run this on the peer, as root, within half an hour. It is shown once:');
        output.line(made.command);
      }),
    );
}

/** list, show, create and remove: the network itself knows the fields, and names each wrong one. */
function collection(parent: Command, act: Act, kind: string, example: string): void {
  const base = `/system/sdwan/${kind}`;
  parent
    .command('list')
    .description('list them')
    .option('--network <network>', 'of this network only')
    .action(
      act(async ({ client, output }, options: { network?: string }) => {
        const query = options.network === undefined ? '' : `?network=${encodeURIComponent(options.network)}`;
        const all = await client.list<OwnDocument>(`${base}${query}`);
        if (output.json) return output.value(all);
        if (all.length === 0) return output.line('none yet');
        const columns = Object.keys(all[0]!).filter(
          (key) => all.some((row) => isShort(row[key])) && !key.endsWith('_at'),
        );
        output.table(
          columns.map((key) => key.toUpperCase()),
          all.map((row) => columns.map((key) => cell(row[key]))),
        );
      }),
    );
  parent
    .command('show <reference>')
    .description('show one, by id or name')
    .action(
      act(async ({ client, output }, reference: string) => {
        const found = await client.call<OwnDocument>('GET', `${base}/${encodeURIComponent(reference)}`);
        if (output.json) return output.value(found);
        for (const [key, value] of Object.entries(found)) output.line(`${key.padEnd(24)}${cell(value)}`);
      }),
    );
  parent
    .command('create <settings...>')
    .description(`make one, of key=value: ${example}`)
    .action(
      act(async ({ client, output }, settings: string[]) => {
        const made = await client.call<OwnDocument>('POST', base, parseSettings(settings));
        if (output.json) return output.value(made);
        output.line(`${output.good('✓')} ${made.id}`);
      }),
    );
  parent
    .command('remove <reference>')
    .description('remove one, by id or name')
    .action(
      act(async ({ client, output }, reference: string) => {
        const mission = await client.call<Mission | undefined>('DELETE', `${base}/${encodeURIComponent(reference)}`);
        if (output.json) return output.value(mission ?? { removed: reference });
        if (mission !== undefined)
          return output.line(`it is open, so it is closed by a mission: gatehouse missions approve ${mission.id}`);
        output.line(`${output.good('✓')} ${reference} is removed`);
      }),
    );
}

const isShort = (value: unknown): boolean => ['string', 'number', 'boolean'].includes(typeof value);
const cell = (value: unknown): string =>
  value === null || value === undefined ? '-' : typeof value === 'object' ? JSON.stringify(value) : String(value);

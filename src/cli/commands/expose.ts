import { type Command, Option } from 'commander';
import type { Mission } from '../../contract/index.ts';
import type { Act } from '../context.ts';
import { showMission } from './missions.ts';

interface ExposeOptions {
  readonly protocol: string;
  readonly network?: string;
  readonly hub?: string;
  readonly vip?: string;
  readonly backendPort?: string;
  readonly targetPeer?: string;
  readonly targetInstance?: string;
  readonly issuer?: string;
  readonly challenge?: string;
  readonly dnsCredential?: string;
  readonly termination?: string;
  readonly listenPort?: string;
}

export function exposeCommands(program: Command, act: Act): void {
  program
    .command('expose <hostname>')
    .description('propose to make a service public: virtual IP, port mapping, certificate, route')
    // None is required here: the server checks them all and says everything that is wrong at once.
    .option('--network <network>', 'network that the virtual IP and the port mapping live in')
    .option('--hub <peer>', 'publicly reachable hub peer')
    .option('--vip <cidr>', 'address that you choose: a /128 in the network, or a /32')
    .option('--backend-port <port>', 'port that the service listens on')
    .option('--target-peer <peer>', 'peer that runs the service')
    .option('--target-instance <instance>', 'instance that runs it, instead of a peer')
    .addOption(new Option('--protocol <protocol>', 'how it is reached').choices(['https', 'http']).default('https'))
    .option('--issuer <issuer>', 'issuer of the certificate; try letsencrypt-staging first')
    .option('--challenge <type>', 'dns-01 by default; http-01, tls-alpn-01, dns-account-01 or dns-persist-01')
    .option('--dns-credential <id>', 'for dns-01')
    .addOption(new Option('--termination <who>', 'who ends TLS').choices(['proxy', 'backend']))
    .option('--listen-port <port>', 'public port')
    .action(
      act(async (context, hostname: string, options: ExposeOptions) => {
        const mission = await context.client.call<Mission>('POST', '/missions', {
          kind: 'expose_service_publicly',
          inputs: {
            service_hostname: hostname,
            service_protocol: options.protocol,
            ...(options.network && { sdwan_network_id: options.network }),
            ...(options.hub && { sdwan_hub_peer_id: options.hub }),
            ...(options.vip && { vip_cidr: options.vip }),
            ...(options.backendPort && { backend_port: numberOr(options.backendPort) }),
            ...(options.targetPeer && { target_peer_id: options.targetPeer }),
            ...(options.targetInstance && { target_instance_id: options.targetInstance }),
            ...(options.issuer && { tls_issuer: options.issuer }),
            ...(options.challenge && { challenge_type: options.challenge }),
            ...(options.dnsCredential && { dns_credential_id: options.dnsCredential }),
            ...(options.termination && { termination: options.termination }),
            ...(options.listenPort && { listen_port: numberOr(options.listenPort) }),
          },
        });
        if (context.output.json) return context.output.value(mission);
        showMission(context, mission);
        context.output.line(`next: gatehouse missions approve ${mission.id}`);
      }),
    );
  program
    .command('unexpose <hostname>')
    .description('propose to take a public service down again')
    .addOption(new Option('--protocol <protocol>', 'this one only').choices(['https', 'http']))
    .action(
      act(async (context, hostname: string, options: { protocol?: string }) => {
        const mission = await context.client.call<Mission>('POST', '/missions', {
          kind: 'unexpose_service',
          inputs: {
            service_hostname: hostname,
            ...(options.protocol && { service_protocol: options.protocol }),
          },
        });
        if (context.output.json) return context.output.value(mission);
        showMission(context, mission);
        context.output.line(`next: gatehouse missions approve ${mission.id}`);
      }),
    );
}

/** What is no number goes as it is, so that the server can say what is wrong with it. */
const numberOr = (text: string): number | string => (/^\d+$/.test(text) ? Number(text) : text);

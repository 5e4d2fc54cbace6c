import { join } from 'node:path';
import { createLogger, dataDirectory, Fault, systemClock } from '../base/index.ts';
import { createMachine, enrolAgent, loadIdentity, runAgent, wireguardKey } from '../network/index.ts';
import { readArguments, usage } from './arguments.ts';

const HELP = `Usage: gatehouse hub-agent --control URL [--data-dir DIR] [--interface NAME]

Runs on a peer of an overlay network, as root: applies the port mappings of a hub (one nftables table, "gatehouse", and
no other), makes the WireGuard interface of a network whose peers have endpoints, puts the virtual IPs that the peer
holds on its interface, and reports. While the control half is away, what was applied goes on.

  --control URL    where the control half listens for agents, such as https://control.example.com:8442
  --data-dir DIR   where its key and the last state are kept (default: the data directory, /agent)
  --interface NAME the WireGuard interface (default: gatehouse)

The first start needs GATEHOUSE_ENROL_TOKEN (gatehouse networks peers enrol <peer>); it is good once, for half an hour.
`;

export async function run(argv: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const read = readArguments('hub-agent', HELP, argv, {
    control: { type: 'string' },
    'data-dir': { type: 'string' },
    interface: { type: 'string', default: 'gatehouse' },
  });
  if (read === undefined) return 0;
  const { values } = read;
  const { control } = values;
  if (control === undefined || URL.parse(control)?.protocol !== 'https:')
    throw usage('hub-agent', '--control takes an https URL');
  // IFNAMSIZ: fifteen bytes and an end.
  if (!/^[a-z0-9_-]{1,15}$/i.test(values.interface))
    throw usage('hub-agent', '--interface takes a name of at most fifteen letters and digits');
  const directory = values['data-dir'] ?? join(dataDirectory(env), 'agent');
  const log = createLogger({ level: 'info', pretty: process.stderr.isTTY });
  const token = env.GATEHOUSE_ENROL_TOKEN;
  const known = loadIdentity(directory);
  if (known === undefined && token === undefined)
    throw new Fault({
      code: 'usage',
      detail: 'this agent is not enrolled',
      party: 'operator',
      retry: 'never',
      advice: 'set GATEHOUSE_ENROL_TOKEN; gatehouse networks peers enrol <peer> gives it',
    });
  const machine = createMachine();
  const key = await wireguardKey(machine, directory);
  const identity = known ?? (await enrolAgent(control, token!, directory, key?.publicKey));
  const stop = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => stop.abort(new Error(signal)));
  const wireguard = { interface: values.interface, directory, ...(key !== undefined && { key }) };
  await runAgent({ control, directory, clock: systemClock, log, machine, wireguard }, identity, stop.signal);
  return 0;
}

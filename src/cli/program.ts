import { Command } from 'commander';
import product from '../../package.json' with { type: 'json' };
import type { Environment } from '../base/index.ts';
import { appCommands } from './commands/apps.ts';
import { auditCommands } from './commands/audit.ts';
import { caCommands } from './commands/ca.ts';
import { certificateCommands } from './commands/certificates.ts';
import { dnsCredentialCommands } from './commands/dns-credentials.ts';
import { doctorCommands } from './commands/doctor.ts';
import { domainCommands } from './commands/domains.ts';
import { exposeCommands } from './commands/expose.ts';
import { issuerCommands } from './commands/issuers.ts';
import { missionCommands } from './commands/missions.ts';
import { networkCommands } from './commands/networks.ts';
import { profileCommands } from './commands/profiles.ts';
import { routeCommands } from './commands/routes.ts';
import { statusCommands } from './commands/status.ts';
import { tokenCommands } from './commands/tokens.ts';
import { createAct } from './context.ts';
import type { Streams } from './output.ts';

const COMMANDS = [
  appCommands,
  domainCommands,
  certificateCommands,
  issuerCommands,
  dnsCredentialCommands,
  profileCommands,
  caCommands,
  networkCommands,
  exposeCommands,
  routeCommands,
  missionCommands,
  statusCommands,
  doctorCommands,
  tokenCommands,
  auditCommands,
];

const SERVER_COMMANDS = `
Started here, and not by talking to a server:
  up [--config FILE] [--data-dir DIR] [--ready-file FILE]   everything in one command
  proxy --config FILE                                       the edge alone, from a file
  ca serve                                                  the ACME server alone
  hub-agent --control URL                                   applies port mappings on a hub host
  mcp                                                       MCP over standard input and output
  config check FILE | config schema                         what a start would say of a file
  backup FILE | restore FILE                                everything that is kept, in one file

Exit codes: 0 done, 1 failed, 2 wrong usage, 3 no server answers, 4 not allowed, 5 waited too long.`;

/** Every command that is a client of the API. */
export function createProgram(env: Environment, streams: Streams): Command {
  const program = new Command('gatehouse')
    .description('Automatic TLS for everything you run.')
    .version(product.version, '--version', 'print the version')
    .option('--json', 'print results as JSON')
    .option('--api-url <url>', 'the server (GATEHOUSE_API_URL; by default the one that runs here)')
    .option('--token <token>', 'the token to show it (GATEHOUSE_TOKEN, which process lists do not show)')
    .option('--data-dir <dir>', 'where "gatehouse up" keeps its data here (GATEHOUSE_DATA_DIR)')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void streams.stdout.write(text),
      writeErr: (text) => void streams.stderr.write(text),
    })
    .showSuggestionAfterError()
    .addHelpText('after', SERVER_COMMANDS)
    .configureHelp({ showGlobalOptions: true });
  const act = createAct(env, streams);
  for (const add of COMMANDS) add(program, act);
  passOn(program);
  return program;
}

/** Commander gives these to the program alone; a person may write `--json` and mistake a word anywhere. */
function passOn(command: Command): void {
  for (const child of command.commands) {
    child
      .copyInheritedSettings(command)
      .exitOverride()
      .showSuggestionAfterError()
      .configureHelp({ showGlobalOptions: true });
    passOn(child);
  }
}

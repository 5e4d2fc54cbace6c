import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Clock, faultOf, type Logger } from '../../base/index.ts';
import { type DesiredState, PEER_GONE } from '../desired-state.ts';
import { type Applied, applyState, NOTHING_APPLIED, readCounters, totalCounters } from './apply.ts';
import { type ControlClient, createControlClient } from './client.ts';
import { type AgentIdentity, forgetIdentity, renewIdentity, writeWhole } from './identity.ts';
import type { Machine } from './machine.ts';
import { readWireguard, type WireguardPlace } from './wireguard.ts';

export interface AgentDeps {
  readonly control: string;
  readonly directory: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly machine: Machine;
  readonly wireguard: WireguardPlace;
}

const STATE_FILE = 'applied.json';
const PAUSE_MS = 2_000;
const LONGEST_PAUSE_MS = 60_000;

/**
 * Follows the desired state until the signal, or until the peer was removed: then what the agent put on the machine is
 * taken down. While the control half is away everything that was applied goes on; after
 * a restart of the machine the last state is applied again before anything is asked.
 */
export async function runAgent(deps: AgentDeps, first: AgentIdentity, signal: AbortSignal): Promise<void> {
  const { clock, log, directory } = deps;
  let identity = first;
  let client = createControlClient(deps.control, identity);
  let applied = await applyAgain(deps);
  let failures = 0;
  while (!signal.aborted) {
    try {
      if (clock.now() >= identity.renewAt) {
        identity = await renewIdentity(deps.control, directory, identity);
        client.close();
        client = createControlClient(deps.control, identity);
        log.info({}, 'the agent’s certificate was renewed');
      }
      // A state that could not be applied is asked for, and tried, again.
      const wanted = await client.state(applied.version === '' ? undefined : applied.version, signal);
      applied = await applyAndReport(deps, client, applied, wanted);
      failures = 0;
    } catch (error) {
      if (signal.aborted) break;
      const { code, detail, advice } = faultOf(error).details;
      if (code === PEER_GONE && (await takeDown(deps, applied))) break;
      log.warn({ code, advice }, `${detail}; what is applied stays`);
      await clock.sleep(Math.min(LONGEST_PAUSE_MS, PAUSE_MS * 2 ** failures++), signal).catch(() => {});
    }
  }
  client.close();
}

/** Nothing of the peer stays on the machine, and the agent is nobody's any more. False when that must be tried again. */
async function takeDown(deps: AgentDeps, applied: Applied): Promise<boolean> {
  const { machine, wireguard, log, directory } = deps;
  const nothing = { version: '', addresses: [], unresolved: [], peer: { id: '', name: '', ipv6: null, ipv4: null } };
  try {
    await applyState(machine, applied, nothing, wireguard, (state) => keep(deps, { ...state, wanted: nothing }));
  } catch (error) {
    log.error({ err: error }, 'the peer was removed, and what it had here could not be taken down; it is tried again');
    return false;
  }
  rmSync(join(directory, STATE_FILE), { force: true });
  forgetIdentity(directory);
  log.warn(
    {
      advice: 'to make this machine a peer again: gatehouse networks peers create, then gatehouse networks peers enrol',
    },
    'the peer was removed from its network: its table, addresses and WireGuard interface were taken down, and the agent ends',
  );
  return true;
}

async function applyAndReport(
  deps: AgentDeps,
  client: ControlClient,
  before: Applied,
  wanted: DesiredState | undefined,
): Promise<Applied> {
  const { machine, log, wireguard } = deps;
  let applied = before;
  let problem: unknown;
  if (wanted !== undefined)
    try {
      applied = await applyState(machine, before, wanted, wireguard, (state) => keep(deps, { ...state, wanted }));
      log.info({ version: applied.version, addresses: applied.addresses }, 'applied');
    } catch (error) {
      problem = error;
    }
  const forwarding = machine.forwarding();
  const isHub = applied.ruleset !== undefined;
  await client.report({
    applied: applied.version,
    counters: isHub ? totalCounters(applied.counted, await readCounters(machine)) : {},
    forwarding,
    unresolved: wanted?.unresolved ?? [],
    addresses: applied.addresses,
    ...(applied.wireguard !== undefined && {
      wireguard: { interface: wireguard.interface, peers: await readWireguard(machine, wireguard.interface) },
    }),
    problem: problem === undefined ? null : faultOf(problem).details.detail,
    ...(isHub &&
      !(forwarding.ipv4 && forwarding.ipv6) && {
        advice:
          'forwarding is off here, so the hub passes nothing on: sysctl net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1',
      }),
  });
  if (problem !== undefined) throw problem;
  return applied;
}

function keep({ directory }: AgentDeps, state: Applied & { wanted: DesiredState }): void {
  writeWhole(directory, STATE_FILE, JSON.stringify(state));
}

async function applyAgain(deps: AgentDeps): Promise<Applied> {
  let kept: (Applied & { wanted: DesiredState }) | undefined;
  try {
    kept = JSON.parse(readFileSync(join(deps.directory, STATE_FILE), 'utf8')) as Applied & { wanted: DesiredState };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
      deps.log.warn({ err: error }, 'what was applied is not known');
    return NOTHING_APPLIED;
  }
  try {
    const { wanted } = kept;
    return await applyState(deps.machine, kept, wanted, deps.wireguard, (state) => keep(deps, { ...state, wanted }));
  } catch (error) {
    deps.log.warn({ err: error }, 'the last state could not be applied again; it is asked for anew');
    return { ...NOTHING_APPLIED, addresses: kept.addresses };
  }
}

import { createProblems, readInput } from '../base/index.ts';
import type { MissionPlan, PlannedStep } from '../missions/index.ts';
import { type ExposureRow, exposuresOfHost, exposuresOfMapping, exposuresOfVirtualIp } from '../store/exposures.ts';
import type { Db } from '../store/index.ts';
import { portMappingById, virtualIpById } from '../store/virtual-ips.ts';
import { readHostname } from './inputs.ts';

/** What of an exposure goes and what stays because another needs it. */
export interface Withdrawal {
  readonly exposure: ExposureRow;
  readonly mapping?: { readonly id: string; readonly name: string; readonly keptFor: readonly string[] };
  readonly virtualIp: { readonly name: string; readonly keptFor: readonly string[] };
}

/** Throws a `Fault` when there is nothing of that name to withdraw. */
export async function gatherWithdrawals(db: Db, input: Readonly<Record<string, unknown>>): Promise<Withdrawal[]> {
  const problems = createProblems();
  const read = readInput(input, problems);
  const hostname = readHostname(read.text('service_hostname', { required: true, most: 1000 }), problems);
  const protocol = read.choice('service_protocol', ['http', 'https']);
  read.refuseOthers();
  const rows = hostname === undefined ? [] : await exposuresOfHost(db, hostname);
  const chosen = rows.filter((row) => protocol === undefined || row.protocol === protocol);
  if (hostname !== undefined && chosen.length === 0)
    problems.add(
      'service_hostname',
      'not_exposed',
      `${hostname} is not exposed${protocol === undefined ? '' : ` over ${protocol}`}`,
      'gatehouse exposures list shows what is',
    );
  problems.throwIfAny();
  const going = new Set(chosen.map(({ id }) => id));
  const others = (list: readonly ExposureRow[]) =>
    list.filter(({ id }) => !going.has(id)).map((row) => `${row.protocol}://${row.hostname}`);
  return Promise.all(
    chosen.map(async (exposure) => {
      const { port_mapping_id: mappingId, virtual_ip_id: vipId } = exposure;
      const mapping = mappingId === null ? undefined : await portMappingById(db, mappingId);
      return {
        exposure,
        ...(mapping !== undefined && {
          mapping: {
            id: mapping.id,
            name: `${mapping.listen_port}/${mapping.protocol}`,
            keptFor: others(await exposuresOfMapping(db, mapping.id)),
          },
        }),
        virtualIp: {
          name: (await virtualIpById(db, vipId))?.name ?? vipId,
          keptFor: others(await exposuresOfVirtualIp(db, vipId)),
        },
      };
    }),
  );
}

/** The reverse of exposing, in the reverse order. Pure. */
export function planUnexpose(withdrawals: readonly [Withdrawal, ...Withdrawal[]]): MissionPlan {
  const [{ exposure }] = withdrawals;
  const protocols = withdrawals.map((one) => one.exposure.protocol);
  const certified = withdrawals.filter((one) => one.exposure.certificate_id !== null);
  const mappings = withdrawals.flatMap(({ mapping }) => mapping ?? []);
  const part = (what: string, keptFor: readonly string[]) =>
    keptFor.length === 0 ? `${what} goes` : `${what} stays for ${keptFor.join(', ')}`;
  const steps: PlannedStep[] = [
    { step: 'proxy', action: 'remove', detail: `the route of ${exposure.hostname} goes from the proxy` },
    ...(certified.length > 0
      ? [{ step: 'certificate', action: 'release', detail: 'its certificate is no longer renewed for it; not revoked' }]
      : []),
    ...(mappings.length > 0
      ? [
          {
            step: 'port_mapping',
            action: 'remove',
            detail: mappings.map(({ name, keptFor }) => part(`the mapping ${name}`, keptFor)).join('; '),
          },
        ]
      : []),
    {
      step: 'virtual_ip',
      action: 'remove',
      detail: withdrawals
        .slice(0, 1)
        .map(({ virtualIp }) => part(`the virtual IP ${virtualIp.name}`, virtualIp.keptFor))
        .join('; '),
    },
  ];
  return {
    title: `Withdraw ${exposure.hostname} (${protocols.join(' and ')}) from the internet`,
    inputs: {
      service_hostname: exposure.hostname,
      ...(protocols.length === 1 && { service_protocol: protocols[0]! }),
    },
    steps,
    warnings: [],
    resolved: { hostname: exposure.hostname, exposure_ids: withdrawals.map((one) => one.exposure.id) },
  };
}

import { Fault } from '../base/index.ts';
import type { StepContext, StepResult } from '../missions/index.ts';
import { updateExposure } from '../store/exposures.ts';
import { recordChange } from '../store/index.ts';
import { type PeerRow, peerById, peersOfNetwork } from '../store/peers.ts';
import { portMappingById } from '../store/virtual-ips.ts';
import type { IngressDeps } from './deps.ts';
import type { ProbeReport } from './ports.ts';
import { lackingReachability } from './reachability.ts';
import { madeId, type ResolvedExposure, resolvedExposure } from './resolved.ts';

const MOST_WAIT_MS = 30_000;
const LOOK_EVERY_MS = 1_000;

/**
 * Looks at the service as a client would. Another certificate than the one that was issued is a failure; what cannot be
 * seen from here is only said, since the control half may stand where no client stands.
 */
export async function probeService(deps: IngressDeps, context: StepContext): Promise<StepResult> {
  const { store, clock, addresses, overlay } = deps;
  const wanted = resolvedExposure(context.plan);
  const hub = await peerById(store.db, wanted.hub_peer_id);
  const warnings: string[] = [];
  const looks: { address: string; port: number; seen: string }[] = [];
  for (const place of hub === undefined ? [] : await places(deps, hub, context)) {
    const report = await lookUntilServed(deps, wanted, place, context);
    looks.push({ ...place, seen: seen(report) });
    warnings.push(...judge(wanted, place, report, context));
  }
  if (looks.length === 0) warnings.push('nothing to probe: neither the hub nor a proxy has an address on record');
  if (hub !== undefined)
    warnings.push(
      ...lackingReachability(wanted.hostname, hub, await addresses.lookup(wanted.hostname), overlay.isGlobal),
    );
  const exposureId = madeId(context, 'virtual_ip', 'exposure_id');
  await store.write(async (tx) => {
    const now = clock.now();
    await updateExposure(tx, exposureId, { status: 'exposed' }, now);
    await recordChange(tx, 'route', exposureId, now);
  });
  return { outputs: { looks }, warnings };
}

interface Place {
  readonly address: string;
  readonly port: number;
}

/** The hub's public addresses, as clients come; the proxy itself too, where the mapping leads to one. */
async function places({ store }: IngressDeps, hub: PeerRow, context: StepContext): Promise<Place[]> {
  const wanted = resolvedExposure(context.plan);
  const publicly = [hub.public_ipv4, hub.public_ipv6].flatMap((address) =>
    address === null ? [] : { address, port: wanted.listen_port },
  );
  if (publicly.length > 0) return publicly;
  const mapping = await portMappingById(store.db, madeId(context, 'port_mapping', 'port_mapping_id'));
  const peers = await peersOfNetwork(store.db, wanted.network_id);
  const proxy = peers.find(({ id }) => id === mapping?.target_peer_id);
  return [proxy?.ipv6 ?? proxy?.ipv4 ?? []].flat().map((address) => ({ address, port: mapping!.target_port }));
}

/** A proxy may take a moment to load what was published, and a hub to fetch its mapping. */
async function lookUntilServed(
  { clock, probe }: IngressDeps,
  wanted: ResolvedExposure,
  place: Place,
  context: StepContext,
): Promise<ProbeReport> {
  const deadline = clock.now() + MOST_WAIT_MS;
  for (;;) {
    const report = await probe.look({ ...place, ...wanted, signal: context.signal });
    const good =
      report.connected &&
      report.unpublished === undefined &&
      (wanted.protocol === 'http' || isServed(wanted, report, context));
    if (good || clock.now() >= deadline) return report;
    await clock.sleep(LOOK_EVERY_MS, context.signal);
  }
}

function isServed(wanted: ResolvedExposure, report: ProbeReport, context: StepContext): boolean {
  if (wanted.termination === 'backend') return report.names?.includes(wanted.hostname) === true;
  const issued = context.made.certificate?.fingerprint;
  return typeof issued === 'string' ? report.fingerprint === issued : report.names?.includes(wanted.hostname) === true;
}

const seen = (report: ProbeReport): string =>
  report.problem ??
  `${report.subject === undefined ? '' : `${report.subject} from ${report.issuer}; `}answer ${report.status ?? 'none'}`;

function judge(wanted: ResolvedExposure, place: Place, report: ProbeReport, context: StepContext): string[] {
  const at = `${place.address.includes(':') ? `[${place.address}]` : place.address}:${place.port}`;
  if (!report.connected)
    return [`the service could not be looked at from here, at ${at}: ${report.problem ?? 'no connection'}`];
  if (wanted.protocol === 'https' && !isServed(wanted, report, context)) {
    const words = `${at} serves ${report.subject ?? 'no certificate'}${report.issuer === undefined ? '' : ` from ${report.issuer}`}`;
    if (wanted.termination === 'backend')
      return [
        `${words}, which is not for ${wanted.hostname}: the service ends TLS itself and needs a certificate for that name`,
      ];
    throw otherCertificate(words, wanted, madeId(context, 'certificate', 'certificate_id'));
  }
  if (report.unpublished)
    return [
      `${wanted.hostname} answers 403 at ${at} because the edge there has no site of that name: gatehouse routes list says how far each place is with it; gatehouse routes compose publishes again`,
    ];
  if (report.status === 403)
    return [
      `${wanted.hostname} answers 403 at ${at} while its certificate is good: the service does not know the host name. Add it to the service's list of allowed hosts`,
    ];
  if (report.status !== undefined && report.status >= 502)
    return [
      `${wanted.hostname} answers ${report.status} at ${at}: the proxy does not reach the service at its virtual IP, port ${wanted.backend_port}`,
    ];
  return [];
}

const TRAEFIK_ELSEWHERE =
  'if Traefik falls back to its default certificate still, it does not read what is published: its file provider must watch the directory of publish.traefik_files (with watch: true), or its HTTP provider read /api/v1/publish/traefik';

const otherCertificate = (words: string, wanted: ResolvedExposure, certificateId: string): Fault =>
  new Fault({
    code: 'default_certificate_served',
    detail: `${words}, and not the certificate that was issued for ${wanted.hostname}`,
    party: 'network',
    retry: 'never',
    advice: `the proxy has not loaded it: publish it again (gatehouse routes compose --certificate ${certificateId}, system_reverse_proxy_compose), then propose the same again; ${/TRAEFIK DEFAULT CERT/.test(words) ? TRAEFIK_ELSEWHERE : 'if it shows that one still, it does not read what is published: gatehouse routes list says how far each place is'}`,
  });

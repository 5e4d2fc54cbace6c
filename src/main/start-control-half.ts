import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createApi } from '../api/index.ts';
import { type Logger, systemClock } from '../base/index.ts';
import { createControl } from '../control/index.ts';
import { type DomainSettings, noteDelegated } from '../domains/index.ts';
import { createExposureRoutes } from '../ingress/index.ts';
import { createPictureWriter } from '../picture/index.ts';
import { tryIssue } from '../preflight/index.ts';
import type { RunningChild } from '../process/index.ts';
import { createSealer } from '../secrets/index.ts';
import { exposuresOfHost } from '../store/exposures.ts';
import { openStore } from '../store/index.ts';
import { startAcmeSide } from './acme-side.ts';
import { startAgents } from './agent-side.ts';
import { serveConsole } from './console.ts';
import {
  type ControlReady,
  type ControlStart,
  caRootFile,
  type FromControl,
  pictureFile,
  type ToControl,
} from './control-start.ts';
import { startDns } from './dns-side.ts';
import { createEdgeSide } from './edge-side.ts';
import { startEngine } from './engine-side.ts';
import { adminTokenTold, untoldAdminToken, writeCliFile } from './first-start.ts';
import { hierarchyOf } from './hierarchy.ts';
import { startIngress } from './ingress-side.ts';
import { serveMcp } from './mcp-route.ts';
import { openIdSide } from './openid-side.ts';
import { startPublishing } from './publish-side.ts';
import { openSecrets } from './secrets-side.ts';
import { VERSION } from './version.ts';

/** Wires and starts everything of the control half, in the order in which parts need each other. */
export async function startControlHalf(
  start: ControlStart,
  log: Logger,
  tell: (message: FromControl) => void,
): Promise<RunningChild> {
  const { config, dataDir } = start;
  const clock = systemClock;
  const stopping = new AbortController();
  const { signal } = stopping;
  const sealer = createSealer(start.masterKeys);
  const store = await openStore({ url: config.store.url ?? join(dataDir, 'gatehouse.db') });
  const secretsSide = openSecrets(config.secrets, { store, sealer, clock, log, signal });
  const { secrets } = secretsSide;
  const picture = createPictureWriter(pictureFile(dataDir), sealer);
  const acme = await startAcmeSide(start, { store, secrets, clock, log, signal });
  const exposures = createExposureRoutes(store);
  const publishing = startPublishing(config.publish, {
    store,
    secrets,
    picture,
    sources: [exposures],
    onDelegated: (id, status) => noteDelegated({ store, clock }, id, status),
    edgeHttps: {
      host: probeHost(config.edge.address),
      port: start.edge.httpsPort,
      publicPort: config.edge.public_https_port ?? start.edge.httpsPort,
    },
    clock,
    log,
    signal,
  });
  const { routes } = publishing;
  const dns = startDns(config, { store, secrets, clock, log, dataDir, signal });
  const engine = await startEngine(start, { store, secrets, clock, log, picture, acme, dns, signal });
  acme.useUpstream(engine.registrar);
  dns.useIssuers(engine.issuers);
  const { approvals, asker_may_approve, only_openid_approves, expire_after_hours } = config.missions;
  const agents = await startAgents(
    { ...config.agents, port: start.ports?.agents ?? config.agents.port },
    { store, clock, log: log.child({ part: 'agents' }), ca: acme.ca, signal },
  );
  const agentUrl = `https://${config.agents.names[0] ?? 'localhost'}:${agents.port}`;
  const ingress = startIngress({
    store,
    clock,
    log: log.child({ part: 'ingress' }),
    certificates: engine.certificates,
    issuers: engine.issuers,
    massRevocation: engine.massRevocation,
    credentials: dns.credentials,
    views: dns.views,
    routes,
    edge: start.edge,
    policy: {
      approvals,
      askerMayApprove: asker_may_approve,
      onlyOpenId: only_openid_approves,
      expiresAfter: expire_after_hours * 3_600_000,
    },
    concierge: config.concierge,
    enrol: (peerId, by) => agents.enrolments.offer(peerId, by, agentUrl),
    signal,
  });
  const edge = createEdgeSide();
  const control = createControl({
    store,
    secrets,
    clock,
    log,
    domains: domainSettings(config),
    ...(publishing.restartDelegated && { restartDelegated: publishing.restartDelegated }),
    refuseName: (name, forMs) => tell({ type: 'refuse_name', name, forMs }),
    dns: dns.domainViews,
    credentials: dns.credentials,
    dnsCredentials: dns.credentials,
    doctor: {
      ...dns.doctor,
      tryIssue: (name, issuerId) => tryIssue(engine.registrar, name, issuerId),
    },
    certificates: engine.certificates,
    issuers: engine.issuers,
    massRevocation: engine.massRevocation,
    acmeServer: {
      administration: acme.server.administration,
      rootPem: acme.ca.rootPem,
      metrics: async () => `${await acme.server.metrics()}${await acme.ca.metrics()}`,
      hierarchy: hierarchyOf(acme.ca, acme.perspectives),
    },
    missions: ingress.missions,
    network: ingress.network,
    conversations: ingress.conversations,
    ingress: routes,
    servingFindings: publishing.findings,
    edge,
    caRootFile: caRootFile(dataDir),
    delivered: async (id, version) => picture.certificateVersions().get(id) === version,
  });
  const adminToken = await untoldAdminToken(control, secrets);
  const openid = openIdSide(config.openid, clock);
  const api = await createApi({
    control,
    clock,
    log,
    version: VERSION,
    allowedHosts: config.api.allowed_hosts,
    isExposed: async (host) => (await exposuresOfHost(store.db, host)).some(({ status }) => status !== 'withdrawing'),
    ...(openid && { openid }),
  });
  serveMcp(api, { control, log, version: VERSION });
  await serveConsole(api);
  await api.listen({ host: config.api.address, port: start.ports?.api ?? config.api.port });
  const { port: apiPort } = api.server.address() as AddressInfo;
  await writeCliFile(control, dataDir, `http://127.0.0.1:${apiPort}`);
  control.start();
  const ready: ControlReady = {
    ports: { api: apiPort, acme: acme.port, agents: agents.port, ca: acme.caPort },
    acmeDirectory: acme.directory,
    caRootFile: caRootFile(dataDir),
    ...(adminToken !== undefined && { adminToken }),
  };
  return {
    ready,
    message: (body) => {
      const told = body as ToControl;
      if (told.type === 'edge') edge.told(told.samples, clock.now());
      else if (told.type === 'wanted_name') control.demand(told.name, told.address);
      else adminTokenTold(secrets).catch((error: unknown) => log.warn({ err: error }, 'the first token is told again'));
    },
    async drain() {
      stopping.abort(new Error('stopping'));
      await Promise.all([
        api.close(),
        acme.close(),
        control.stop(),
        engine.stopped,
        dns.stopped,
        secretsSide.stopped,
        publishing.stopped,
        ingress.stopped,
      ]);
      picture.close();
      await store.close();
    },
  };
}

function domainSettings({ domains, publish }: ControlStart['config']): DomainSettings {
  const { base, addresses, on_demand } = domains;
  const delegated = publish.kubernetes?.certificates === 'delegated';
  const { always, wait_seconds, address_an_hour, app_an_hour, ask } = on_demand;
  return {
    baseDomain: base,
    addresses,
    delegated,
    onDemand: {
      always,
      waitMs: wait_seconds * 1_000,
      addressAnHour: address_an_hour,
      appAnHour: app_an_hour,
      ...(ask !== undefined && { ask }),
    },
  };
}

/** Where this machine reaches a listener: one on every address answers on loopback too. */
const probeHost = (address: string): string =>
  address === '0.0.0.0' ? '127.0.0.1' : address === '::' ? '::1' : address;

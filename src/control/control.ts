import { createOnDemand, type DomainsDeps, type OnDemand, runDomainLoop } from '../domains/index.ts';
import { type AcmeServerUseCases, createAcmeServerUseCases } from './acme-server.ts';
import { type AppUseCases, createAppUseCases } from './apps.ts';
import { type AuditUseCases, createAuditUseCases } from './audit.ts';
import { type CertificateUseCases, createCertificateUseCases } from './certificates.ts';
import { type ConciergeUseCases, createConciergeUseCases } from './concierge.ts';
import type { ControlDeps } from './context.ts';
import { createDnsCredentialUseCases, type DnsCredentialUseCases } from './dns-credentials.ts';
import { createDomainUseCases, type DomainUseCases } from './domains.ts';
import { createImportUseCases, type ImportUseCases } from './imports.ts';
import { createIngressUseCases, type IngressUseCases } from './ingress.ts';
import { createIssuerUseCases, type IssuerUseCases } from './issuers.ts';
import { runHousekeeping } from './loops.ts';
import { createMissionUseCases, type MissionUseCases } from './missions.ts';
import { createNetworkUseCases, type NetworkUseCases } from './networks.ts';
import { createSystemUseCases, type SystemUseCases } from './system.ts';
import { createTokenUseCases, type TokenUseCases } from './tokens.ts';
import { createWebhookUseCases, type WebhookUseCases } from './webhooks.ts';

/** Everything that a person or program may do. Every method takes the actor, checks it, and records writes and refusals. */
export interface Control {
  readonly apps: AppUseCases;
  readonly domains: DomainUseCases;
  readonly imports: Omit<ImportUseCases, 'run'>;
  readonly webhooks: Omit<WebhookUseCases, 'run'>;
  readonly certificates: CertificateUseCases;
  readonly issuers: IssuerUseCases;
  readonly acmeServer: AcmeServerUseCases;
  readonly dnsCredentials: DnsCredentialUseCases;
  readonly ingress: IngressUseCases;
  readonly missions: MissionUseCases;
  readonly network: NetworkUseCases;
  readonly concierge: ConciergeUseCases;
  readonly tokens: TokenUseCases;
  readonly audit: AuditUseCases;
  readonly system: SystemUseCases;
  /** A visitor waits in a handshake for a name's certificate; `address` is what budgets count by. */
  demand(name: string, address: string): void;
  /** Starts the loops of domains and housekeeping. */
  start(): void;
  /** Ends them, and waits for what is under way. */
  stop(): Promise<void>;
}

export function createControl(deps: ControlDeps): Control {
  const { store, clock, log, certificates, dns, credentials } = deps;
  let stopLoops: (() => Promise<void>) | undefined;
  let wake: DomainsDeps['wake'] = () => {};
  const domains: DomainsDeps = {
    store,
    clock,
    log,
    dns,
    credentials,
    settings: deps.domains,
    certificates: {
      ensure: (wish) => certificates.ensure(wish),
      release: (reference) => certificates.release(reference),
      renew: (id) => certificates.renew(id),
      isServed: async (id) => (await certificates.get(id))?.served !== undefined,
      hasFailed: async (id) => {
        const view = await certificates.get(id);
        return view === undefined || view.status === 'failed' || view.status === 'revoked';
      },
    },
    // Before the loop runs, what is woken is found by its first round.
    wake: (id) => wake(id),
  };
  const { onDemand: onDemandSettings } = deps.domains;
  const onDemand: OnDemand | undefined =
    onDemandSettings && createOnDemand(domains, onDemandSettings, (name, forMs) => deps.refuseName?.(name, forMs));
  const missions = createMissionUseCases(deps);
  const domainUseCases = createDomainUseCases(deps, domains);
  const imports = createImportUseCases(deps, domainUseCases);
  const webhooks = createWebhookUseCases(deps);
  return {
    apps: createAppUseCases(deps, domains),
    domains: domainUseCases,
    imports,
    webhooks,
    certificates: createCertificateUseCases(deps),
    issuers: createIssuerUseCases(deps),
    acmeServer: createAcmeServerUseCases(deps),
    dnsCredentials: createDnsCredentialUseCases(deps),
    ingress: createIngressUseCases(deps),
    missions,
    network: createNetworkUseCases(deps, missions.propose),
    concierge: createConciergeUseCases(deps, missions.propose),
    tokens: createTokenUseCases(deps),
    audit: createAuditUseCases(deps),
    system: createSystemUseCases(deps),
    demand: (name, address) => void onDemand?.demand(name, address),
    start() {
      const loop = runDomainLoop(domains);
      const stopHousekeeping = runHousekeeping(deps, [imports.run, webhooks.run]);
      wake = loop.wake;
      stopLoops = async () => {
        onDemand?.stop();
        await Promise.all([loop.stop(), stopHousekeeping()]);
      };
    },
    stop: async () => stopLoops?.(),
  };
}

import { type Clock, Fault, faultOf, type Logger } from '../base/index.ts';
import type { Permission } from '../contract/index.ts';
import type { CredentialChoice, DnsViews, DomainSettings } from '../domains/index.ts';
import type { SecretStore } from '../secrets/index.ts';
import { type AuditEvent, type AuditOutcome, appendAudit, type Store } from '../store/index.ts';
import { type Actor, requirePermission } from './actor.ts';
import type * as ports from './ports/index.ts';

/** What control stands on. A port that is absent is a part that this installation does not have. */
export interface ControlDeps {
  readonly store: Store;
  /** For the secrets that sign webhooks. */
  readonly secrets?: Pick<SecretStore, 'put' | 'get' | 'delete'>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly domains: DomainSettings;
  readonly dns: DnsViews;
  readonly credentials: CredentialChoice;
  readonly certificates: ports.CertificatePort;
  readonly issuers: ports.IssuerPort;
  readonly massRevocation?: ports.MassRevocationPort;
  readonly acmeServer?: ports.AcmeServerPort;
  readonly dnsCredentials?: ports.DnsCredentialPort;
  readonly doctor?: ports.DoctorPort;
  readonly missions?: ports.MissionPort;
  readonly network?: ports.NetworkPort;
  readonly conversations?: ports.ConversationPort;
  readonly ingress?: ports.IngressRoutePort;
  readonly servingFindings?: ports.ServingFindingPort;
  readonly edge?: ports.EdgePort;
  /** Whether every data plane that should serve a version has it. */
  readonly delivered?: (certificateId: string, versionId: string) => Promise<boolean>;
  /** Lets a cluster's cert-manager begin anew with a domain's certificate, where that is left to it. */
  readonly restartDelegated?: (domainId: string) => Promise<void>;
  /** Tells the edge that nobody should wait for the certificate of a name for now. */
  readonly refuseName?: (name: string, forMs: number) => void;
  /** Path of the file with the root of our CA on this machine. */
  readonly caRootFile?: string;
}

export interface Act {
  readonly permission: Permission;
  /** `<noun>.<verb>`. */
  readonly action: string;
  readonly resource: string;
  readonly facts?: Readonly<Record<string, unknown>>;
}

export function auditEvent(actor: Actor, act: Act, at: number, outcome: AuditOutcome = 'done'): AuditEvent {
  return { actor: actor.name, action: act.action, resource: act.resource, facts: act.facts ?? {}, outcome, at };
}

/**
 * Checks the permission and runs `work`. A refusal is recorded before it is thrown, whoever found it: the permission
 * check here, or a `Fault` of status 403 out of `work`. What succeeds is recorded by `work`, with its own write.
 */
export async function guarded<T>(deps: ControlDeps, actor: Actor, act: Act, work: () => Promise<T>): Promise<T> {
  try {
    requirePermission(actor, act.permission);
    return await work();
  } catch (error) {
    if (error instanceof Fault && error.details.status === 403)
      await record(deps, actor, { ...act, facts: { ...act.facts, why: error.code } }, 'refused');
    throw error;
  }
}

/** Like `guarded`, for work whose write is an engine's own: records that it was done, or that and why it failed. */
export async function performed<T>(deps: ControlDeps, actor: Actor, act: Act, work: () => Promise<T>): Promise<T> {
  return attempted(deps, actor, act, async () => {
    const value = await work();
    await record(deps, actor, act, 'done');
    return value;
  });
}

/** Like `guarded`; records also that and why the work failed. */
export async function attempted<T>(deps: ControlDeps, actor: Actor, act: Act, work: () => Promise<T>): Promise<T> {
  return guarded(deps, actor, act, async () => {
    try {
      return await work();
    } catch (error) {
      const { code, details } = faultOf(error);
      if (details.status !== 403) await record(deps, actor, { ...act, facts: { ...act.facts, why: code } }, 'failed');
      throw error;
    }
  });
}

async function record(deps: ControlDeps, actor: Actor, act: Act, outcome: AuditOutcome): Promise<void> {
  await deps.store.write((tx) => appendAudit(tx, auditEvent(actor, act, deps.clock.now(), outcome)));
}

export function notFound(what: string, id: string, advice?: string): Fault {
  return new Fault({
    code: `${what.replaceAll(' ', '_')}_not_found`,
    detail: `there is no ${what} ${id.slice(0, 200)}`,
    party: 'client',
    retry: 'never',
    status: 404,
    ...(advice !== undefined && { advice }),
  });
}

export function invalid(field: string, code: string, detail: string, advice?: string): Fault {
  return new Fault({
    code,
    detail,
    party: 'client',
    retry: 'never',
    status: 422,
    field,
    ...(advice !== undefined && { advice }),
  });
}

/** For a port that this installation does not have. */
export function absent(part: string): Fault {
  return new Fault({
    code: 'not_part_of_this_installation',
    detail: `${part} is not part of this installation`,
    party: 'operator',
    retry: 'never',
    status: 501,
  });
}

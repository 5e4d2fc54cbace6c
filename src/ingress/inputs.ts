import { createProblems, faultOf, type Problems, readInput } from '../base/index.ts';
import { parseDnsName } from '../x509/index.ts';

export { EXPOSE_FIELDS, type ExposeField, UNEXPOSE_FIELDS } from '../contract/index.ts';

export const CHALLENGE_TYPES = ['dns-01', 'http-01', 'tls-alpn-01', 'dns-account-01', 'dns-persist-01'] as const;
export type ChallengeType = (typeof CHALLENGE_TYPES)[number];

/** Proved by a record, so that a credential for the zone is needed. */
export const isProvedInDns = (challenge: ChallengeType | undefined): boolean => challenge?.startsWith('dns-') === true;

export const DEFAULT_ISSUER = 'letsencrypt-prod';
/** Our own authority: nothing has to be shown to anybody outside. */
export const INTERNAL_ISSUER = 'internal-ca';

export interface ExposeInputs {
  readonly hostname: string;
  readonly protocol: 'http' | 'https';
  /** References as they were given: ids or names. */
  readonly network: string;
  readonly hub: string;
  readonly vipCidr: string;
  readonly backendPort: number;
  readonly targetPeer?: string;
  readonly targetInstance?: string;
  readonly issuer: string;
  /** Absent for our own authority, where no challenge was asked for. */
  readonly challenge?: ChallengeType;
  readonly credential?: string;
  readonly termination: 'proxy' | 'backend';
  readonly listenPort: number;
}

const PORT = { least: 1, most: 65_535, what: 'a port' };
export const DEFAULT_PORT = { https: 443, http: 80 } as const;

/** Reads the inputs by themselves; what they refer to is looked up later. Adds every problem it finds. */
export function parseExposeInputs(input: Readonly<Record<string, unknown>>, problems: Problems): Partial<ExposeInputs> {
  const read = readInput(input, problems);
  const hostname = readHostname(read.text('service_hostname', { required: true, most: 1000 }), problems);
  const protocol = read.choice('service_protocol', ['http', 'https'], true);
  const network = read.text('sdwan_network_id', { required: true });
  const hub = read.text('sdwan_hub_peer_id', { required: true });
  const vipCidr = read.texts('vip_cidr', 4, true)?.join(', ');
  const backendPort = read.integer('backend_port', { ...PORT, required: true });
  const targetPeer = read.text('target_peer_id');
  const targetInstance = read.text('target_instance_id');
  const issuer = read.text('tls_issuer') ?? DEFAULT_ISSUER;
  const asked = read.choice('challenge_type', CHALLENGE_TYPES);
  const challenge = asked ?? (issuer === INTERNAL_ISSUER ? undefined : 'dns-01');
  const credential = read.text('dns_credential_id');
  const termination = read.choice('termination', ['proxy', 'backend']) ?? 'proxy';
  const listenPort = read.integer('listen_port', PORT) ?? (protocol && DEFAULT_PORT[protocol]);
  read.refuseOthers();
  checkTargets(targetPeer, targetInstance, problems);
  // A service that ends TLS itself has a certificate of its own, and none is got for it.
  if (protocol === 'https' && termination === 'proxy' && isProvedInDns(challenge) && credential === undefined)
    problems.add(
      'dns_credential_id',
      'required',
      `dns_credential_id is required for https with ${challenge}`,
      'gatehouse dns-credentials list; make one with gatehouse dns-credentials create',
    );
  return {
    issuer,
    termination,
    ...(hostname !== undefined && { hostname }),
    ...(protocol !== undefined && { protocol }),
    ...(network !== undefined && { network }),
    ...(hub !== undefined && { hub }),
    ...(vipCidr !== undefined && { vipCidr }),
    ...(backendPort !== undefined && { backendPort }),
    ...(targetPeer !== undefined && { targetPeer }),
    ...(targetInstance !== undefined && { targetInstance }),
    ...(challenge !== undefined && { challenge }),
    ...(credential !== undefined && { credential }),
    ...(listenPort !== undefined && { listenPort }),
  };
}

function checkTargets(peer: string | undefined, instance: string | undefined, problems: Problems): void {
  if ((peer === undefined) !== (instance === undefined)) return;
  const given = peer === undefined ? 'neither was given' : 'both were given';
  problems.add(
    'target_peer_id',
    'exactly_one',
    `exactly one of target_peer_id and target_instance_id is required; ${given}`,
    peer === undefined
      ? 'a virtual IP with no holder fronts nothing: name the peer or the instance that runs the service'
      : 'leave one of them out',
  );
}

/** In its A-label form. Undefined, with a problem, when it is no host name. */
export function readHostname(text: string | undefined, problems: Problems): string | undefined {
  if (text === undefined) return undefined;
  try {
    return parseDnsName(text);
  } catch (error) {
    const { code, detail, advice } = faultOf(error).details;
    problems.add('service_hostname', code, detail, advice);
    return undefined;
  }
}

/** For tests and tools that want the inputs or the fault. */
export function requireExposeInputs(input: Readonly<Record<string, unknown>>): ExposeInputs {
  const problems = createProblems();
  const inputs = parseExposeInputs(input, problems);
  problems.throwIfAny();
  return inputs as ExposeInputs;
}

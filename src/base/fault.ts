/** Who failed. A reader of an error wants to know this before anything else. */
export type Party =
  | 'us'
  | 'client'
  | 'operator'
  | 'ca'
  | 'dns'
  | 'dns-provider'
  | 'network'
  | 'upstream'
  | 'store'
  | 'secret-store'
  | 'cluster';

/** Whether trying again can help: never with the same input, yes with backoff, or not before a time (ms since epoch). */
export type Retry = 'never' | 'backoff' | { readonly notBefore: number };

export interface FaultDetails {
  /** A stable word for programs, e.g. `invalid_name`, `rate_limited`, or an ACME problem URN. */
  readonly code: string;
  /** What failed, for a person, without secrets. */
  readonly detail: string;
  readonly party: Party;
  readonly retry: Retry;
  /** What a person can do about it. */
  readonly advice?: string;
  /** The field of the input that is wrong, as a path: `names[2]`, `upstreams[0].url`. */
  readonly field?: string;
  /** HTTP status when an API answers with this fault; derived from party and retry if absent. */
  readonly status?: number;
  /** One entry for each of several problems found at once (RFC 8555 §6.7.1 subproblems, or several wrong fields). */
  readonly problems?: readonly FaultDetails[];
}

/** The one error type that crosses rooms. Anything else that is thrown is a defect of ours. */
export class Fault extends Error {
  override readonly name = 'Fault';
  readonly details: FaultDetails;
  constructor(details: FaultDetails, cause?: unknown) {
    super(details.detail, cause === undefined ? undefined : { cause });
    this.details = details;
  }
  get code(): string {
    return this.details.code;
  }
}

/** The fault that an unknown thrown value amounts to; a stranger becomes an internal one of ours. */
export function faultOf(error: unknown): Fault {
  if (error instanceof Fault) return error;
  return new Fault({ code: 'internal', detail: errorText(error), party: 'us', retry: 'backoff' }, error);
}

/** An error's words with those of its causes (`fetch failed: connect ECONNREFUSED 127.0.0.1:1`). */
export function errorText(error: unknown): string {
  const parts: string[] = [];
  for (let e = error, depth = 0; e !== undefined && e !== null && depth < 5; depth++) {
    const inner = e instanceof AggregateError && e.message === '' ? e.errors[0] : undefined;
    const text = inner instanceof Error ? inner.message : e instanceof Error ? e.message : String(e);
    if (text !== '' && !parts.some((part) => part.includes(text))) parts.push(text);
    e = e instanceof Error ? e.cause : undefined;
  }
  return parts.join(': ') || 'unknown error';
}

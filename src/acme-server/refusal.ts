import {
  ACME_PROBLEMS,
  type AcmeProblemType,
  type Identifier,
  type ProblemDocument,
  problemUrn,
} from '../acme/index.ts';
import { Fault, faultOf } from '../base/index.ts';

interface RefusalOptions {
  readonly subproblems?: readonly ProblemDocument[];
  readonly identifier?: Identifier;
  readonly algorithms?: readonly string[];
  readonly instance?: string;
  /** Instead of the status that goes with the type. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** When to come again, milliseconds since the epoch. */
  readonly notBefore?: number;
  /** The limit that is used up, by the name of its setting. */
  readonly limit?: string;
}

/** What an ACME client is told when it does not get what it asked for (RFC 8555 §6.7). */
export class Refusal extends Fault {
  readonly type: AcmeProblemType;
  readonly limit: string | undefined;
  readonly problem: ProblemDocument;
  readonly headers: Readonly<Record<string, string>>;
  constructor(type: AcmeProblemType, detail: string, options: RefusalOptions = {}, cause?: unknown) {
    const { headers = {}, notBefore, limit, status = ACME_PROBLEMS[type], ...members } = options;
    super(
      {
        code: problemUrn(type),
        detail,
        party: type === 'serverInternal' ? 'us' : 'client',
        retry: notBefore === undefined ? (type === 'badNonce' ? 'backoff' : 'never') : { notBefore },
        status,
      },
      cause,
    );
    this.type = type;
    this.limit = limit;
    this.problem = { type: problemUrn(type), detail, status, ...members };
    this.headers = headers;
  }
}

/** A subproblem for one identifier (RFC 8555 §6.7.1). */
export const subproblem = (type: AcmeProblemType, detail: string, identifier: Identifier): ProblemDocument => ({
  type: problemUrn(type),
  detail,
  identifier,
});

// Faults of the rooms below, by their code, as ACME says them.
const TYPES: Record<string, AcmeProblemType> = {
  malformed_der: 'badCSR',
  bad_csr: 'badCSR',
  invalid_name: 'malformed',
};

/** What a client may read of any error. The words of an error that is ours stay in the log. */
export function refusalOf(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  const fault = faultOf(error);
  const type = TYPES[fault.code];
  if (type !== undefined) return new Refusal(type, fault.details.detail, {}, error);
  return new Refusal('serverInternal', 'an error of the server; its log has the cause', {}, error);
}

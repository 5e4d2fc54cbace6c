import { type AcmeProblemType, identifierKey, type ProblemDocument, problemTypeOf } from '../acme/index.ts';
import { Fault, type FaultDetails, type Party, type Retry } from '../base/index.ts';
import { retryAfter } from './retry-after.ts';
import type { AcmeResponse } from './transport.ts';

/** Who failed, and what a person can do, for each problem type of RFC 8555 §6.7. */
const MEANING: Record<AcmeProblemType, { party: Party; advice?: string }> = {
  accountDoesNotExist: { party: 'ca', advice: 'the CA no longer knows our account; it is registered again by itself' },
  alreadyReplaced: { party: 'ca' },
  alreadyRevoked: { party: 'ca' },
  badCSR: { party: 'us', advice: 'try another key type; some CAs take only some of them' },
  badNonce: { party: 'ca' },
  badPublicKey: { party: 'us', advice: 'try another key type' },
  badRevocationReason: { party: 'client', advice: 'choose another reason; some CAs take only some of them' },
  badSignatureAlgorithm: { party: 'us' },
  caa: {
    party: 'operator',
    advice: 'a CAA record forbids this CA; add one that names it, or choose an issuer that the record allows',
  },
  compound: { party: 'ca' },
  connection: {
    party: 'network',
    advice:
      "the CA could not connect to the name's address; check DNS, the firewall and port forwarding for ports 80 and 443",
  },
  dns: { party: 'dns', advice: 'the CA could not resolve the name; check its records and DNSSEC' },
  externalAccountRequired: {
    party: 'operator',
    advice:
      'this CA binds accounts to its customers: give the issuer the key id and HMAC key that the CA handed out (EAB)',
  },
  incorrectResponse: {
    party: 'operator',
    advice:
      'something else answers for this name; check that the name points here and that nothing in between answers instead',
  },
  invalidContact: { party: 'operator', advice: "correct the issuer's contact addresses" },
  invalidProfile: { party: 'operator', advice: 'choose one of the profiles that the CA lists' },
  malformed: { party: 'us' },
  orderNotReady: { party: 'ca' },
  rateLimited: { party: 'ca', advice: 'a limit of the CA is used up; it is tried again when the CA allows' },
  rejectedIdentifier: {
    party: 'operator',
    advice: 'this CA does not issue for that name; choose another issuer, or correct the name',
  },
  serverInternal: { party: 'ca' },
  tls: { party: 'network', advice: 'port 443 of the name must reach this edge without anything ending TLS in between' },
  unauthorized: {
    party: 'operator',
    advice: 'the CA asked and got another answer than ours; check that the name points here and only here',
  },
  unsupportedContact: { party: 'operator', advice: 'give the issuer contacts of the form mailto:ops@example.com' },
  unsupportedIdentifier: { party: 'operator', advice: 'this CA does not issue for this kind of name' },
  userActionRequired: {
    party: 'operator',
    advice: "visit the CA's page that the problem names and agree to its terms",
  },
};

const MOST_SUBPROBLEMS = 100;
const MOST_TEXT = 2000;

/** A problem document as a `Fault` whose code is the problem's URN. */
export function faultOfProblem(problem: ProblemDocument, retry?: Retry): Fault {
  return new Fault(detailsOf(problem, retry ?? 'backoff'));
}

function detailsOf(problem: ProblemDocument, retry: Retry, depth = 0): FaultDetails {
  const meaning = MEANING[problemTypeOf(problem.type) ?? 'serverInternal'];
  const name = problem.identifier?.value;
  const said = (problem.detail ?? problem.title ?? `the CA answered ${problem.type}`).slice(0, MOST_TEXT);
  const page = problem.instance;
  // RFC 8555 §6.7, userActionRequired: the page that a person is to visit.
  const text = page === undefined || said.includes(page) ? said : `${said} (${page})`;
  const subproblems = depth > 0 ? [] : (problem.subproblems ?? []).slice(0, MOST_SUBPROBLEMS);
  return {
    code: problem.type.slice(0, 200),
    detail: name === undefined || text.includes(name) ? text : `${name}: ${text}`,
    party: meaning.party,
    retry,
    ...(meaning.advice !== undefined && { advice: meaning.advice }),
    ...(problem.identifier !== undefined && { field: identifierKey(problem.identifier) }),
    ...(subproblems.length > 0 && { problems: subproblems.map((sub) => detailsOf(sub, retry, depth + 1)) }),
  };
}

/** The `Fault` that an answer of a CA amounts to when it is no success (RFC 8555 §6.7, with Retry-After obeyed). */
export function faultOfResponse(response: AcmeResponse, url: string, now: number): Fault {
  const wait = retryAfter(response.headers['retry-after'], now);
  const retry: Retry = wait === undefined ? 'backoff' : { notBefore: wait };
  const problem = parseProblem(response.body);
  if (problem !== undefined) return faultOfProblem(problem, retry);
  return new Fault({
    code: `ca_answered_${response.status}`,
    detail: `${new URL(url).host} answered ${response.status} without saying why`,
    party: 'ca',
    retry,
  });
}

export function parseProblem(body: Buffer): ProblemDocument | undefined {
  const value = parseJson(body);
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string'
    ? sanitized(value as ProblemDocument)
    : undefined;
}

/** Keeps the members whose types are right: what a CA sends is still what a stranger sends. */
function sanitized(problem: ProblemDocument, depth = 0): ProblemDocument {
  const { detail, title, status, identifier, subproblems, algorithms, instance } = problem;
  return {
    type: problem.type,
    ...(typeof detail === 'string' && { detail }),
    ...(typeof title === 'string' && { title }),
    ...(typeof status === 'number' && { status }),
    ...(typeof instance === 'string' && /^https:\/\/[^\s]{1,500}$/.test(instance) && { instance }),
    ...(typeof identifier?.value === 'string' &&
      (identifier.type === 'dns' || identifier.type === 'ip') && { identifier }),
    ...(Array.isArray(algorithms) && { algorithms: algorithms.filter((name) => typeof name === 'string') }),
    ...(Array.isArray(subproblems) &&
      depth < 1 && {
        subproblems: subproblems
          .slice(0, MOST_SUBPROBLEMS)
          .filter((sub) => typeof sub?.type === 'string')
          .map((sub) => sanitized(sub, depth + 1)),
      }),
  };
}

export function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}

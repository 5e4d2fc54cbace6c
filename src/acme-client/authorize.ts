import {
  type AuthorizationObject,
  type ChallengeObject,
  type ChallengeType,
  identifierKey,
  keyAuthorization,
} from '../acme/index.ts';
import { Fault, faultOf } from '../base/index.ts';
import type { AcmeAccount } from './account.ts';
import type { AcmeClient } from './client.ts';
import { poll } from './poll.ts';
import { faultOfProblem } from './problem-fault.ts';
import type { ChallengeSolver } from './solver.ts';
import type { OnStep } from './steps.ts';

export interface Authorizing {
  readonly client: AcmeClient;
  readonly account: AcmeAccount;
  /** In order of preference. */
  readonly solvers: readonly ChallengeSolver[];
  readonly onStep: OnStep;
  readonly signal: AbortSignal;
  /** Identifier key -> types that the CA has refused for it already. */
  readonly refused: ReadonlyMap<string, ReadonlySet<ChallengeType>>;
}

export interface FailedAuthorization {
  readonly key: string;
  readonly name: string;
  readonly type?: ChallengeType;
  readonly fault: Fault;
  /** Whether there is a type left that was not tried for it. */
  readonly anotherWay: boolean;
}

/** Name as the order wrote it. */
const nameOf = ({ identifier, wildcard }: AuthorizationObject) => `${wildcard === true ? '*.' : ''}${identifier.value}`;
const authorizationKey = (found: AuthorizationObject) =>
  `${found.wildcard === true ? '*.' : ''}${identifierKey(found.identifier)}`;

/** Shows control of one identifier; answers how it failed, or undefined when it is valid. */
export async function authorize(to: Authorizing, url: string): Promise<FailedAuthorization | undefined> {
  const { client, account, onStep, signal } = to;
  const found = (await client.getAuthorization(account, url, signal)).value;
  const name = nameOf(found);
  const key = authorizationKey(found);
  if (found.status === 'valid') {
    await onStep({ kind: 'authorization', name, words: `${name} is authorized already` });
    return undefined;
  }
  if (found.status !== 'pending') return { key, name, fault: problemOf(found, name), anotherWay: false };
  const [choice, ...others] = choices(to, found, key);
  if (choice === undefined) return { key, name, fault: noWay(to, found, name), anotherWay: false };
  const { type } = choice.solver;
  const failed = (fault: Fault) => ({ key, name, type, fault, anotherWay: others.length > 0 });
  const token = checkedToken(choice.challenge, name);
  let removeAnswer: () => Promise<void>;
  try {
    removeAnswer = await choice.solver.present({
      identifier: found.identifier,
      wildcard: found.wildcard === true,
      token,
      keyAuthorization: keyAuthorization(token, account.thumbprint),
      accountUrl: account.url,
      challenge: choice.challenge,
      expiresAt: Date.parse(found.expires ?? '') || client.clock.now() + 3_600_000,
      signal,
      tell: (words) => void onStep({ kind: 'challenge', name, type, words }),
    });
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    return failed(faultOf(error));
  }
  try {
    await onStep({ kind: 'challenge', name, type, words: `${type} for ${name} is ready to be looked at` });
    const after = await validated(to, url, found, choice.challenge);
    if (after.status !== 'valid') return failed(problemOf(after, name, type));
    await onStep({ kind: 'validation', name, type, words: `${name} is validated by ${type}` });
    return undefined;
  } finally {
    // The answer expires by itself where taking it away fails, and a failed removal must not fail an order.
    await removeAnswer().catch((error: unknown) => {
      const words = `the answer to ${type} for ${name} could not be taken away: ${faultOf(error).message}`;
      return onStep({ kind: 'challenge', name, type, words });
    });
  }
}

async function validated(
  { client, account, signal }: Authorizing,
  url: string,
  found: AuthorizationObject,
  challenge: ChallengeObject,
): Promise<AuthorizationObject> {
  const { value: answered, retryAt } = await client.respond(account, challenge, signal);
  const isOpen = answered.status === 'pending' || answered.status === 'processing';
  const ask = () => client.getAuthorization(account, url, signal);
  const first = isOpen ? { value: found, ...(retryAt !== undefined && { retryAt }) } : await ask();
  return poll(client.clock, first, ask, ({ status }) => status !== 'pending', signal);
}

/** What can be tried for it, best first. */
function choices(to: Authorizing, found: AuthorizationObject, key: string) {
  return to.solvers.flatMap((solver) => {
    const challenge = found.challenges.find(({ type }) => type === solver.type);
    const possible =
      to.refused.get(key)?.has(solver.type) !== true && solver.canSolve(found.identifier, found.wildcard === true);
    const isSecond = found.challenges.some(
      ({ type }) => solver.unlessOffered?.includes(type as ChallengeType) === true,
    );
    return possible && challenge !== undefined && !isSecond ? [{ solver, challenge }] : [];
  });
}

/** RFC 8555 §8.3: base64url only; anything else must not reach a path or a record. */
function checkedToken(challenge: ChallengeObject, name: string): string {
  const { token } = challenge;
  if (token === undefined && challenge.type === 'dns-persist-01') return '';
  if (token !== undefined && /^[A-Za-z0-9_-]{16,512}$/.test(token)) return token;
  throw new Fault({
    code: 'ca_answer_unexpected',
    detail: `the CA's token for ${name} is not base64url (RFC 8555 §8)`,
    party: 'ca',
    retry: 'backoff',
  });
}

function problemOf(found: AuthorizationObject, name: string, type?: string): Fault {
  const error = found.challenges.find((challenge) => challenge.error !== undefined && challenge.type === type)?.error;
  const first = error ?? found.challenges.find((challenge) => challenge.error !== undefined)?.error;
  if (typeof first?.type === 'string') return faultOfProblem({ ...first, identifier: found.identifier });
  return new Fault({
    code: 'authorization_failed',
    detail: `the CA says that the authorization of ${name} is ${found.status}, and not why`,
    party: 'ca',
    retry: 'backoff',
  });
}

function noWay(to: Authorizing, found: AuthorizationObject, name: string): Fault {
  const offered = found.challenges.map(({ type }) => type).join(', ') || 'none';
  const ours = to.solvers
    .filter((solver) => solver.canSolve(found.identifier, found.wildcard === true))
    .map(({ type }) => type);
  const wildcard = found.wildcard === true;
  return new Fault({
    code: 'no_challenge_possible',
    detail: `the CA offers ${offered} for ${name}; here ${ours.length > 0 ? `there is ${ours.join(', ')}` : 'none of them can be answered'}`,
    party: 'operator',
    retry: 'backoff',
    advice: wildcard
      ? 'wildcards are validated through DNS only (RFC 8555 §7.1.3): add a DNS credential for the zone'
      : 'allow another challenge type, or add a DNS credential for the zone',
  });
}

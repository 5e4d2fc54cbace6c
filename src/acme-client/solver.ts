import type { ChallengeObject, ChallengeType, Identifier } from '../acme/index.ts';

/** A challenge as it must be answered. */
export interface SolvableChallenge {
  readonly identifier: Identifier;
  /** The order asked for `*.` before the identifier. */
  readonly wildcard: boolean;
  /** Absent in dns-persist-01. */
  readonly token: string;
  /** RFC 8555 §8.1. */
  readonly keyAuthorization: string;
  readonly accountUrl: string;
  readonly challenge: ChallengeObject;
  /** When the authorization ends, ms since the epoch: an answer left behind may be taken away then. */
  readonly expiresAt: number;
  readonly signal: AbortSignal;
  /** Says how far it is while it is presented, as a line of the certificate's history. */
  readonly tell: (words: string) => void;
}

/** One way to show control of a name. */
export interface ChallengeSolver {
  readonly type: ChallengeType;
  /** Used only where the CA offers none of these. */
  readonly unlessOffered?: readonly ChallengeType[];
  canSolve(identifier: Identifier, wildcard: boolean): boolean;
  /** Resolves once the CA may look; the answer is the function that takes it away again. */
  present(challenge: SolvableChallenge): Promise<() => Promise<void>>;
}

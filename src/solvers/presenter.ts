import type { OpenChallenge } from '../picture/index.ts';

/** Makes an open challenge answerable at every edge; the answer takes it away again. */
export interface ChallengePresenter {
  present(challenge: OpenChallenge): Promise<() => Promise<void>>;
}

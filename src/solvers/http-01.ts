import type { ChallengeSolver } from '../acme-client/index.ts';
import type { ChallengePresenter } from './presenter.ts';

/** RFC 8555 §8.3: the key authorization at `/.well-known/acme-challenge/<token>` on port 80. */
export function createHttp01Solver(presenter: ChallengePresenter): ChallengeSolver {
  return {
    type: 'http-01',
    canSolve: (_, wildcard) => !wildcard,
    present: ({ token, keyAuthorization, expiresAt }) =>
      presenter.present({ type: 'http-01', token, keyAuthorization, expiresAt }),
  };
}

import { randomBytes } from 'node:crypto';
import { type Clock, errorText } from '../base/index.ts';

export type AskAnswer = { readonly wanted: true } | { readonly wanted: false; readonly reason: string };

/** Somebody else's word on whether a certificate for a name is wanted. */
export interface AskHook {
  ask(name: string): Promise<AskAnswer>;
}

const ANSWER_MS = 5_000;
// A hook that was honest this morning may be replaced by one that is not.
const PROVEN_FOR_MS = 3_600_000;
const DOUBTED_FOR_MS = 60_000;

/**
 * A GET of `url` with `?domain=` added; a status of 200 says yes, any other no, and silence is a no. Before it is believed,
 * and once an hour, it is asked for a random name that nobody has: one that says yes to that says yes to everything.
 */
export function createAskHook(url: string, clock: Clock): AskHook {
  let proof: { readonly at: number; readonly answer: Promise<AskAnswer> } | undefined;
  let isProven = false;

  const status = async (name: string): Promise<number> => {
    const target = new URL(url);
    target.searchParams.set('domain', name);
    const response = await fetch(target, { redirect: 'error', signal: AbortSignal.timeout(ANSWER_MS) });
    await response.body?.cancel();
    return response.status;
  };
  const prove = async (): Promise<AskAnswer> => {
    isProven = false;
    const name = `${randomBytes(10).toString('hex')}.com`;
    try {
      if ((await status(name)) === 200)
        return { wanted: false, reason: `the ask hook says yes to everything: it said yes to the random name ${name}` };
      isProven = true;
      return { wanted: true };
    } catch (error) {
      return { wanted: false, reason: `the ask hook does not answer: ${errorText(error)}` };
    }
  };
  const proven = (): Promise<AskAnswer> => {
    const now = clock.now();
    if (proof === undefined || now - proof.at >= (isProven ? PROVEN_FOR_MS : DOUBTED_FOR_MS))
      proof = { at: now, answer: prove() };
    return proof.answer;
  };

  return {
    async ask(name) {
      const honest = await proven();
      if (!honest.wanted) return honest;
      try {
        const answered = await status(name);
        return answered === 200 ? { wanted: true } : { wanted: false, reason: `the ask hook says no (${answered})` };
      } catch (error) {
        return { wanted: false, reason: `the ask hook does not answer: ${errorText(error)}` };
      }
    },
  };
}

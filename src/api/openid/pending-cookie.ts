import type { PendingSignIn } from './provider.ts';

export const PENDING_COOKIE = 'gatehouse_openid';
export const PENDING_LASTS_SECONDS = 600;

export const writePending = (pending: PendingSignIn): string =>
  Buffer.from(JSON.stringify(pending)).toString('base64url');

/** Undefined for anything that `writePending` did not write. */
export function parsePending(text: string | undefined): PendingSignIn | undefined {
  if (text === undefined || text.length > 2_000) return undefined;
  try {
    const { state, nonce, verifier } = JSON.parse(Buffer.from(text, 'base64url').toString()) as Record<string, unknown>;
    if (typeof state !== 'string' || typeof nonce !== 'string' || typeof verifier !== 'string') return undefined;
    return { state, nonce, verifier };
  } catch {
    return undefined;
  }
}

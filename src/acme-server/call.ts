import type { IncomingMessage } from 'node:http';
import type { AccountInPlace } from '../store/acme-accounts.ts';
import type { Answer } from './http.ts';
import type { AccountKey, Jws } from './jws.ts';
import { parseObject } from './jws.ts';
import type { Profile } from './profile.ts';
import { Refusal } from './refusal.ts';
import type { Services } from './services.ts';
import type { ProfileUrls } from './urls.ts';

/** One request, its place known. */
export interface Call {
  readonly services: Services;
  readonly profile: Profile;
  readonly urls: ProfileUrls;
  /** Of the path: `order/{0}`. */
  readonly parameters: readonly string[];
  readonly request: IncomingMessage;
  /** Of the URL, after its question mark. */
  readonly query: string;
  readonly now: number;
}

/** A request signed by a key that need not belong to an account yet. */
export interface KeyCall extends Call {
  readonly jws: Jws;
  readonly key: AccountKey;
}

/** A request signed by the key of a valid account of this profile. */
export interface AccountCall extends KeyCall {
  readonly account: AccountInPlace;
}

/** How a resource is asked for, and what it does. */
export type Resource =
  | { readonly auth: 'none'; readonly methods: readonly string[]; answer(call: Call): Promise<Answer> | Answer }
  | { readonly auth: 'jwk'; answer(call: KeyCall): Promise<Answer> }
  | { readonly auth: 'kid'; answer(call: AccountCall): Promise<Answer> }
  | { readonly auth: 'either'; answer(call: KeyCall & { readonly account?: AccountInPlace }): Promise<Answer> };

/** POST-as-GET (RFC 8555 §6.3): the payload is empty, not an empty object. */
export const isPostAsGet = (call: KeyCall): boolean => call.jws.payload.length === 0;

export function requirePostAsGet(call: KeyCall): void {
  if (!isPostAsGet(call)) throw new Refusal('malformed', 'this resource is read by POST-as-GET, with an empty payload');
}

export function payloadOf(call: KeyCall): Record<string, unknown> {
  return parseObject(call.jws.payload, 'the payload');
}

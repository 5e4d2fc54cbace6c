import type { AccountCall } from './call.ts';
import { Refusal } from './refusal.ts';

/** RFC 8555 §7.3.3: the problem names the terms, and the link leads to them. */
export const termsToAgreeTo = (url: string): Refusal =>
  new Refusal('userActionRequired', `agree to the terms of service first: ${url}`, {
    instance: url,
    headers: { Link: `<${url}>;rel="terms-of-service"` },
  });

/** Where the profile insists on it, nothing new is begun for an account that agreed to other terms. */
export function requireCurrentTerms({ profile: { settings }, account }: AccountCall): void {
  const { terms_of_service: current, terms_must_be_agreed_again: insists } = settings;
  if (insists && current !== undefined && account.terms_url !== current) throw termsToAgreeTo(current);
}

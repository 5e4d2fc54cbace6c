import ipaddr from 'ipaddr.js';
import { type Identifier, identifierKey, type ProblemDocument } from '../acme/index.ts';
import { errorText, Fault } from '../base/index.ts';
import { parseDnsName } from '../x509/index.ts';
import { refuseName } from './name-policy.ts';
import type { ProfileSettings } from './profile.ts';
import { Refusal, subproblem } from './refusal.ts';

/**
 * The identifiers of a new order or authorization, in canonical form and without repetition. Throws one refusal with a
 * subproblem for each identifier that cannot be had, before anything exists (RFC 8555 §7.4, §6.7.1).
 */
export function parseIdentifiers(input: unknown, settings: ProfileSettings): Identifier[] {
  const most = settings.limits.certificate_names;
  if (!Array.isArray(input) || input.length === 0)
    throw new Refusal('malformed', 'identifiers is not a list of at least one');
  if (input.length > most) throw new Refusal('malformed', `an order here has at most ${most} identifiers`);
  const problems: ProblemDocument[] = [];
  const identifiers = new Map<string, Identifier>();
  for (const item of input) {
    const given = shapeOf(item);
    const outcome = parseIdentifier(given, settings);
    if ('type' in outcome && 'value' in outcome) identifiers.set(identifierKey(outcome), outcome);
    else problems.push(subproblem(outcome.refused, outcome.why, given));
  }
  if (problems.length > 0) throw combined(problems);
  return [...identifiers.values()];
}

function shapeOf(item: unknown): Identifier {
  const { type, value } = (item ?? {}) as Record<string, unknown>;
  if (typeof type !== 'string' || typeof value !== 'string' || value.length > 1000 || type.length > 100)
    throw new Refusal('malformed', 'an identifier has a type and a value');
  return { type: type as Identifier['type'], value };
}

type Outcome = Identifier | { refused: 'rejectedIdentifier' | 'unsupportedIdentifier' | 'malformed'; why: string };

function parseIdentifier({ type, value }: Identifier, settings: ProfileSettings): Outcome {
  if (type !== 'dns' && type !== 'ip')
    return { refused: 'unsupportedIdentifier', why: 'only identifiers of type dns and ip can be had' };
  let identifier: Identifier;
  try {
    identifier = type === 'ip' ? { type, value: parseAddress(value) } : { type, value: parseName(value) };
  } catch (error) {
    return { refused: 'malformed', why: error instanceof Fault ? error.details.detail : errorText(error) };
  }
  const refusal = refuseName(identifier, settings.names);
  if (refusal !== undefined) return { refused: 'rejectedIdentifier', why: refusal };
  if (challengesFor(identifier, settings).length === 0 && settings.auth_mode === 'challenge')
    return { refused: 'rejectedIdentifier', why: 'no challenge that this profile offers can prove control of it' };
  return identifier;
}

function parseName(value: string): string {
  // A-labels only: the client, not we, decides which name an internationalized text means (RFC 8555 §7.1.4).
  if (/[^\x21-\x7e]/.test(value)) throw new Error('an internationalized name must be in its A-label form (xn--…)');
  if (value.endsWith('.')) throw new Error('a name here has no dot at its end');
  return parseDnsName(value, { wildcard: true });
}

function parseAddress(value: string): string {
  const valid = value.includes(':') ? ipaddr.IPv6.isValid(value) : ipaddr.IPv4.isValidFourPartDecimal(value);
  if (!valid || value.includes('%')) throw new Error('this is no IP address in the form of RFC 8738 §3');
  const address = ipaddr.parse(value);
  // Two spellings of one address would pass rules that name the other.
  if (address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress())
    throw new Error(`an IPv4 address is written as one here: ${address.toIPv4Address()}`);
  return address.toString();
}

/** The challenges of the profile by which control of the identifier can be proven (RFC 8555 §7.1.3, RFC 8738 §7). */
export function challengesFor(
  { type, value }: Identifier,
  settings: ProfileSettings,
): ProfileSettings['validation']['challenges'] {
  const wildcard = value.startsWith('*.');
  return settings.validation.challenges.filter((challenge) => {
    const byDns = challenge.startsWith('dns-');
    return type === 'ip' ? !byDns : wildcard ? byDns : true;
  });
}

function combined(problems: readonly ProblemDocument[]): Refusal {
  const types = new Set(problems.map(({ type }) => type));
  const first = problems[0]!;
  const type = types.size === 1 ? (first.type.split(':').at(-1) as 'rejectedIdentifier') : 'compound';
  const names = problems.map(({ identifier, detail }) => `${identifier?.value.slice(0, 253)}: ${detail}`);
  return new Refusal(
    type,
    names.slice(0, 10).join('; '),
    problems.length === 1 && types.size === 1
      ? { identifier: first.identifier, subproblems: problems }
      : { subproblems: problems },
  );
}

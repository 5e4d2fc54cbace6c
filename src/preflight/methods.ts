import type { NameFacts } from './judge-name.ts';

const BY_DNS = ['dns-01', 'dns-account-01', 'dns-persist-01'] as const;

/** Ways in which control of a name would be shown, before CAA takes any of them away. */
export function methodsOf(
  { challenge, wildcard }: Pick<NameFacts, 'challenge' | 'wildcard'>,
  hasCredential: boolean,
): readonly string[] {
  if (challenge !== 'auto') return [challenge];
  // RFC 8555 §7.1.3, RFC 8737 §4: only DNS shows control of a wildcard.
  if (wildcard) return BY_DNS;
  return ['tls-alpn-01', 'http-01', ...(hasCredential ? BY_DNS : [])];
}

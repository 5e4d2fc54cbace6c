import { Coming } from './time.tsx';

interface WhyDocument {
  readonly summary: string;
  readonly problem: { readonly type: string; readonly detail: string; readonly failed_party: string } | null;
  readonly attempts: number;
  readonly next_attempt_at: string | null;
  readonly advice: string | null;
}

/** Who failed, in the words a person uses. */
const PARTIES: Record<string, string> = {
  us: 'Gatehouse itself',
  client: 'the request',
  operator: 'the configuration',
  ca: 'the certificate authority',
  dns: 'DNS',
  'dns-provider': 'the DNS provider',
  network: 'the network',
  upstream: 'the upstream',
  store: 'the store',
  'secret-store': 'the secret store',
  cluster: 'another replica',
};

/** Why something stands where it stands: the sentence, then the last problem, the next attempt and what to do. */
export function Why({ why }: { why: WhyDocument }) {
  const { problem } = why;
  return (
    <div className={`notice ${problem === null ? '' : 'bad'}`}>
      <strong>{why.summary}</strong>
      {problem !== null && (
        <span>
          {problem.detail}{' '}
          <span className="quiet">(what failed: {PARTIES[problem.failed_party] ?? problem.failed_party})</span>
        </span>
      )}
      {why.advice !== null && <span>What to do: {why.advice}</span>}
      {why.next_attempt_at !== null && (
        <span className="quiet">
          {problem === null ? 'Looked at again' : 'Next attempt'} <Coming at={why.next_attempt_at} />
          {why.attempts > 0 && `, after ${why.attempts} failed ${why.attempts === 1 ? 'attempt' : 'attempts'}`}
        </span>
      )}
    </div>
  );
}

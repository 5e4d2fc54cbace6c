import type { Domain } from '../../api/documents.ts';
import { Coming, Time } from '../../components/time.tsx';

/** What cert-manager makes of a domain's certificate, for one that a cluster gets and serves. */
export function ClusterFacts({ certificate }: { certificate: NonNullable<Domain['cluster_certificate']> }) {
  const { namespace, name, reason, detail, problems, not_after, renews_at, failed_attempts } = certificate;
  return (
    <>
      <dl className="facts">
        <dt>In the cluster</dt>
        <dd className="mono">
          {namespace}/{name}
        </dd>
        {reason !== null && (
          <>
            <dt>Condition</dt>
            <dd>
              {reason}
              {detail !== null && <span className="quiet"> {detail}</span>}
            </dd>
          </>
        )}
        {not_after !== null && (
          <>
            <dt>Ends</dt>
            <dd>
              <Time at={not_after} />
            </dd>
          </>
        )}
        {renews_at !== null && (
          <>
            <dt>Renews</dt>
            <dd>
              <Coming at={renews_at} />
            </dd>
          </>
        )}
        {failed_attempts > 0 && (
          <>
            <dt>Failed attempts</dt>
            <dd>{failed_attempts}</dd>
          </>
        )}
      </dl>
      {problems.map((problem) => (
        <p key={`${problem.kind} ${problem.name}`}>
          {problem.kind} <span className="quiet mono">{problem.name}</span>: {problem.detail}
        </p>
      ))}
    </>
  );
}

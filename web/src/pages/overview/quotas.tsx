import type { SystemStatus } from '../../api/documents.ts';
import { Time } from '../../components/time.tsx';

/** What is left of the limits of issuers, the scarcest first. */
export function Quotas({ issuers }: { issuers: SystemStatus['issuers'] }) {
  const used = issuers
    .flatMap(({ id, quota }) => quota.map((limit) => ({ ...limit, issuer: id })))
    .toSorted((a, b) => (a.most - a.used) / a.most - (b.most - b.used) / b.most)
    .slice(0, 8);
  if (used.length === 0) return <p className="quiet">No issuer with published limits has been used.</p>;
  return used.map((quota) => (
    <div key={`${quota.issuer} ${quota.limit} ${quota.scope}`}>
      <div className="between">
        <span>
          {quota.limit} <strong>{quota.scope}</strong>
        </span>
        <span className="number">
          {quota.most - quota.used} of {quota.most} left
        </span>
      </div>
      <meter
        min={0}
        max={quota.most}
        high={quota.most * 0.8}
        value={quota.used}
        aria-label={`${quota.used} of ${quota.most} used`}
      />
      <div className="quiet">
        {quota.issuer}, until <Time at={quota.resets_at} />
      </div>
    </div>
  ));
}

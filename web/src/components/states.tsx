import type { ReactNode } from 'react';
import { Problem } from '../api/client.ts';

export function Empty({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <div className="state">
      <h2>{title}</h2>
      {children}
    </div>
  );
}

/** What went wrong, and what to do about it; a missing permission is named with whom to ask. */
export function Failure({ problem, retry }: { problem: unknown; retry?: () => void }) {
  const known = problem instanceof Problem ? problem : undefined;
  if (known?.status === 403)
    return (
      <Empty title="You may not see this">
        <p>
          Ask somebody who manages tokens for the permission{' '}
          <code>{known.missingPermission ?? 'that this page needs'}</code>.
        </p>
      </Empty>
    );
  return (
    <div className="notice bad" role="alert">
      <strong>{known?.message ?? String(problem)}</strong>
      {known?.advice !== undefined && <span>{known.advice}</span>}
      {retry !== undefined && (
        <div>
          <button type="button" className="button small" onClick={retry}>
            Try again
          </button>
        </div>
      )}
    </div>
  );
}

export function Loading({ rows = 5, what = 'Loading' }: { rows?: number; what?: string }) {
  return (
    <div role="status" aria-label={what} style={{ display: 'grid', gap: 12, padding: 16 }}>
      {Array.from({ length: rows }, (_, row) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: placeholders have no identity
        <div key={row} className="skeleton" style={{ width: `${92 - ((row * 17) % 40)}%` }} />
      ))}
    </div>
  );
}

interface Asked<Data> {
  readonly data: Data | undefined;
  readonly error: unknown;
  readonly refetch: () => unknown;
}

/** Shows the right state of a query, and its children once there is data. Old data stays while new data fails. */
export function Loaded<Data>({ query, children }: { query: Asked<Data>; children: (data: Data) => ReactNode }) {
  if (query.data !== undefined) return <>{children(query.data)}</>;
  if (query.error !== null && query.error !== undefined)
    return <Failure problem={query.error} retry={() => void query.refetch()} />;
  return <Loading />;
}

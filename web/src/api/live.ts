import type { QueryClient } from '@tanstack/react-query';
import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';

/** What in the cache a kind of change touches: the first parts of query keys. */
const TOUCHED: Record<string, readonly string[]> = {
  route: ['ingress_routes', 'status'],
  certificate: ['acme_certificates', 'domains', 'ingress_routes', 'status'],
  domain: ['domains', 'apps', 'status'],
  app: ['apps', 'domains'],
  mission: ['missions', 'conversations', 'status'],
  network: ['sdwan'],
  credential: ['acme_dns_credentials'],
  issuer: ['issuers'],
};

export type Liveness = 'live' | 'connecting' | 'stale';

/**
 * Follows the server's change stream and asks again for what changed, gathered over a moment so that a burst of changes
 * is one request. `stale` after the stream has been away for a few seconds: what is on screen may no longer be true.
 */
export function useLive(): Liveness {
  const client = useQueryClient();
  const [liveness, setLiveness] = useState<Liveness>('connecting');
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let lost: ReturnType<typeof setTimeout> | undefined;
    const touched = new Set<string>();
    const source = new EventSource('/api/v1/events', { withCredentials: true });
    const flush = () => {
      timer = undefined;
      refetch(client, touched);
      touched.clear();
    };
    source.addEventListener('open', () => {
      clearTimeout(lost);
      lost = undefined;
      setLiveness((before) => {
        // Changes may have been missed while away.
        if (before === 'stale') void client.invalidateQueries();
        return 'live';
      });
    });
    source.addEventListener('error', () => {
      lost ??= setTimeout(() => setLiveness('stale'), 3_000);
    });
    source.addEventListener('change', (event) => {
      const { kind } = JSON.parse((event as MessageEvent<string>).data) as { kind: string };
      for (const part of TOUCHED[kind] ?? []) touched.add(part);
      timer ??= setTimeout(flush, 250);
    });
    return () => {
      clearTimeout(timer);
      clearTimeout(lost);
      source.close();
    };
  }, [client]);
  return liveness;
}

/** Lists that were scrolled through this many pages are asked for again, whole, no more often than now and then. */
const LONG_PAGES = 4;
const LONG_EVERY_MS = 10_000;

function refetch(client: QueryClient, parts: ReadonlySet<string>): void {
  const now = Date.now();
  void client.invalidateQueries({
    predicate: ({ queryKey, state }) => {
      const pages = (state.data as { pages?: readonly unknown[] } | undefined)?.pages?.length ?? 0;
      if (pages > LONG_PAGES && now - state.dataUpdatedAt < LONG_EVERY_MS) return false;
      return queryKey.some((part) => typeof part === 'string' && parts.has(part));
    },
  });
}

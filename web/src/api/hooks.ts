import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { call, get, type Page, type Problem, queryText } from './client.ts';

/**
 * One document; refetched when its kind changes (see live.ts), and every `everyMs` where numbers change by themselves.
 * The path is the key, its first part the kind.
 */
export function useDocument<Document>(path: string | undefined, everyMs?: number) {
  return useQuery<Document, Problem>({
    queryKey: keyOf(path ?? ''),
    ...(everyMs !== undefined && { refetchInterval: everyMs }),
    queryFn: async () => (await get<{ data: Document }>(path!)).data,
    enabled: path !== undefined,
  });
}

/** Rows in one page of the server, at most. */
const MOST_ROWS = 500;

/** A list that the server pages; rows come as far as they were scrolled to. */
export function useList<Row>(
  path: string,
  filter: Readonly<Record<string, string | undefined>> = {},
  limit = MOST_ROWS,
) {
  const query = useInfiniteQuery<Page<Row>, Problem>({
    queryKey: [...keyOf(path), filter, limit],
    queryFn: ({ pageParam }) =>
      get<Page<Row>>(`${path}${queryText({ ...filter, limit, cursor: pageParam as string })}`),
    initialPageParam: '',
    getNextPageParam: (last) => last.page?.next_cursor ?? undefined,
  });
  return { ...query, rows: query.data?.pages.flatMap((page) => page.data) ?? [] };
}

interface Change<Answer> {
  readonly method: 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly body?: unknown;
  readonly onDone?: (answer: Answer) => void;
}

/** A write. Whatever it may have changed is asked for again. */
export function useChange<Answer = unknown>() {
  const client = useQueryClient();
  return useMutation<Answer, Problem, Change<Answer>>({
    mutationFn: async ({ method, path, body }) => {
      const answer = await call<{ data: Answer } | undefined>(method, path, body);
      return answer?.data as Answer;
    },
    onSuccess: (answer, { onDone }) => {
      onDone?.(answer);
      void client.invalidateQueries();
    },
  });
}

const keyOf = (path: string): string[] =>
  path
    .split('?')[0]!
    .split('/')
    .filter((part) => part !== '');

import { invalid } from './context.ts';

export interface PageInput {
  readonly limit?: number;
  readonly cursor?: string;
}

export interface Page<T> {
  readonly data: T[];
  readonly page: { readonly next_cursor: string | null };
}

const DEFAULT_LIMIT = 50;

export const limitOf = (page: PageInput): number => page.limit ?? DEFAULT_LIMIT;

/** Opaque to clients: they hand it back and must not read it. */
const encodeCursor = (key: string | number): string => Buffer.from(JSON.stringify(key)).toString('base64url');

export function decodeCursor(cursor: string | undefined, kind: 'string'): string | undefined;
export function decodeCursor(cursor: string | undefined, kind: 'number'): number | undefined;
export function decodeCursor(cursor: string | undefined, kind: 'string' | 'number'): string | number | undefined {
  if (cursor === undefined) return undefined;
  try {
    const key: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    if (kind === 'string' && typeof key === 'string') return key;
    if (kind === 'number' && Number.isSafeInteger(key)) return key as number;
  } catch {}
  throw invalid('cursor', 'invalid_cursor', 'the cursor is none of ours', 'begin again without a cursor');
}

/** A page of rows of which one more than `limit` was asked for; the extra one says that there is a next page. */
export function pageOf<Row, T>(
  rows: readonly Row[],
  limit: number,
  keyOf: (row: Row) => string | number,
  render: (row: Row) => T,
): Page<T> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const more = rows.length > limit && last !== undefined;
  return { data: shown.map(render), page: { next_cursor: more ? encodeCursor(keyOf(last)) : null } };
}

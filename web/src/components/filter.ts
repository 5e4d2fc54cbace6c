import { useSearchParams } from 'wouter';

/** Filters that live in the URL, so that a view can be linked to and survives a reload. */
export function useFilter(): [(key: string) => string, (key: string, value: string) => void] {
  const [search, setSearch] = useSearchParams();
  const change = (key: string, value: string) =>
    setSearch(
      (before) => {
        if (value === '') before.delete(key);
        else before.set(key, value);
        return before;
      },
      { replace: true },
    );
  return [(key) => search.get(key) ?? '', change];
}

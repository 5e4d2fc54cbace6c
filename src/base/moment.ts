/** A moment as people read it in a sentence: `2026-11-26 01:39 UTC`. Programs get RFC 3339 in fields of their own. */
export const inUtc = (ms: number): string => `${new Date(ms).toISOString().slice(0, 16).replace('T', ' ')} UTC`;

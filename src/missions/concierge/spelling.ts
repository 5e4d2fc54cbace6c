// Words by which a brief is understood, and their near misses. A word that is right in itself is never touched.

/** What near misses are corrected to; long enough that a slip of the finger makes no other word of them. */
const WANTED = [
  'expose',
  'exposing',
  'unexpose',
  'publish',
  'unpublish',
  'publicly',
  'public',
  'reachable',
  'available',
  'accessible',
  'internet',
  'withdraw',
  'network',
  'backend',
  'certificate',
  'credential',
  'instance',
  'through',
  'virtual',
  'listens',
  'listening',
  'staging',
  'encrypt',
  'private',
  'offline',
];
/** Right as they are, and near to one of those. */
const RIGHT = new Set([
  ...WANTED,
  ...['exposed', 'exposes', 'exposure', 'unexposed', 'published', 'publishes', 'publisher', 'republish', 'unreachable'],
  ...['unavailable', 'inaccessible', 'networks', 'backends', 'certificates', 'credentials', 'instances', 'instant'],
  ...['though', 'thorough', 'virtually', 'listen', 'listened', 'encrypts', 'encrypted', 'privately', 'privacy'],
  ...['internal', 'intranet', 'interned', 'withdrawn', 'withdraws', 'teachable', 'distance', 'publics', 'online'],
  ...['stage', 'stating', 'staying', 'stagings', 'potential', 'instead', 'listings', 'listing', 'glistens', 'private'],
]);
const WORD = /(?<![\w.@/:-])[a-z]{5,14}(?![\w@/-]|\.\w|:\w)/gi;

/** The text with slips in those words mended; `names` are left as they are. */
export function mendSpelling(text: string, names: ReadonlySet<string>): string {
  return text.replaceAll(WORD, (word) => {
    const lower = word.toLowerCase();
    if (RIGHT.has(lower) || names.has(lower)) return word;
    return WANTED.find((wanted) => isSlip(lower, wanted)) ?? word;
  });
}

/** One letter too many, too few, another, or two that changed places; in a word of nine letters or more, two such slips. */
function isSlip(word: string, wanted: string): boolean {
  const most = wanted.length >= 9 ? 2 : 1;
  return word[0] === wanted[0] && Math.abs(word.length - wanted.length) <= most && distance(word, wanted) <= most;
}

/** Damerau's distance (optimal string alignment). */
function distance(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const [above, before] = [rows[i - 1]!, rows[i - 2]];
      let best = Math.min(above[j]! + 1, row[j - 1]! + 1, above[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1));
      if (before !== undefined && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        best = Math.min(best, before[j - 2]! + 1);
      row.push(best);
    }
    rows.push(row);
  }
  return rows[a.length]![b.length]!;
}

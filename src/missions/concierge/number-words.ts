// Ports as people say them: "eighty eighty", "four forty-three", "nine thousand and two", "eight oh eight oh".

const ONES = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'];
const TEENS = [
  'ten',
  'eleven',
  'twelve',
  'thirteen',
  'fourteen',
  'fifteen',
  'sixteen',
  'seventeen',
  'eighteen',
  'nineteen',
];
const TENS = ['twenty', 'thirty', 'forty', 'fifty', 'sixty', 'seventy', 'eighty', 'ninety'];

const VALUES: ReadonlyMap<string, number> = new Map([
  ...ONES.map((word, n) => [word, n] as const),
  ...TEENS.map((word, n) => [word, n + 10] as const),
  ...TENS.map((word, n) => [word, (n + 2) * 10] as const),
  ['oh', 0],
  ['fourty', 40],
  ['hundred', 100],
  ['thousand', 1000],
]);
const WORD = [...VALUES.keys()].sort((a, b) => b.length - a.length).join('|');
const RUN = new RegExp(
  `\\b((?:port|ports)(?: number)?(?: is| of|:| =)?|(?:listen(?:s|ing)?|runs?|running|serv(?:es|ing)|answers) (?:on|at))\\s+((?:${WORD})(?:(?:[ -]|[ -]and[ -])(?:${WORD}))*)\\b`,
  'gi',
);

/** The text with ports in words turned into digits, where the words before say that a port is meant. */
export const withDigits = (text: string): string =>
  text.replaceAll(RUN, (whole, before: string, run: string) => {
    const value = portValue(
      run
        .toLowerCase()
        .split(/[ -]+/)
        .filter((word) => word !== 'and'),
    );
    return value === undefined ? whole : `${before} ${value}`;
  });

function portValue(words: readonly string[]): number | undefined {
  const values = words.map((word) => VALUES.get(word) ?? 0);
  const value = words.some((word) => word === 'hundred' || word === 'thousand') ? counted(values) : spelled(values);
  return value >= 1 && value <= 65_535 ? value : undefined;
}

/** "eight thousand eighty": 8080. */
function counted(values: readonly number[]): number {
  let total = 0;
  let part = 0;
  for (const value of values)
    if (value === 1000) {
      total += (part || 1) * 1000;
      part = 0;
    } else if (value === 100) part = (part || 1) * 100;
    else part += value;
  return total + part;
}

/** "eighty eighty": 80 and 80 side by side; a ten takes the one that follows ("forty three": 43). */
function spelled(values: readonly number[]): number {
  let digits = '';
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    const next = values[i + 1] ?? 0;
    if (value >= 20 && value % 10 === 0 && next >= 1 && next <= 9) {
      digits += value + next;
      i++;
    } else digits += value;
  }
  return digits.length > 5 ? Number.NaN : Number(digits);
}

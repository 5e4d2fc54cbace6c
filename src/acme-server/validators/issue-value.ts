/** `issue-value` of RFC 8659 §4.2, which dns-persist-01 records use too. */
export interface IssueValue {
  /** Lower case; empty when nobody is named. */
  readonly issuer: string;
  /** Tags in lower case. */
  readonly parameters: ReadonlyMap<string, string>;
}

const MOST_CHARACTERS = 2000;
const DOMAIN = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/i;
const TAG = /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/i;
// Printable, without space and semicolon.
const VALUE = /^[\x21-\x3a\x3c-\x7e]*$/;

/** WSP of the grammar is a space or a tab, and no other white space. */
const trim = (text: string): string => text.replace(/^[ \t]+|[ \t]+$/g, '');

/** Undefined when the text does not follow the grammar, or names a parameter twice. */
export function parseIssueValue(text: string): IssueValue | undefined {
  if (text.length > MOST_CHARACTERS) return undefined;
  const [issuer = '', ...rest] = text.split(';').map(trim);
  if (issuer !== '' && !DOMAIN.test(issuer)) return undefined;
  const parameters = new Map<string, string>();
  for (const part of rest) {
    if (part === '') continue;
    const equals = part.indexOf('=');
    const tag = trim(part.slice(0, Math.max(0, equals)));
    const value = trim(part.slice(equals + 1));
    if (equals < 0 || !TAG.test(tag) || !VALUE.test(value) || parameters.has(tag.toLowerCase())) return undefined;
    parameters.set(tag.toLowerCase(), value);
  }
  return { issuer: issuer.toLowerCase(), parameters };
}

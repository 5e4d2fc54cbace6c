import type { Problems } from './problems.ts';

/**
 * Reads one JSON object that a stranger sent, field by field; what is wrong goes into the problems, and the field is
 * then undefined. Every surface (API, command line, MCP, a brief) is read by the same reader, so it says the same words.
 */
export interface InputReader {
  text(field: string, rule?: TextRule): string | undefined;
  integer(field: string, rule: { least: number; most: number; required?: boolean; what?: string }): number | undefined;
  choice<const W extends string>(field: string, words: readonly W[], required?: boolean): W | undefined;
  flag(field: string): boolean | undefined;
  texts(field: string, most: number, required?: boolean): string[] | undefined;
  object(field: string): Readonly<Record<string, unknown>> | undefined;
  has(field: string): boolean;
  /** Adds a problem for every key that was never asked for. */
  refuseOthers(): void;
}

export interface TextRule {
  readonly required?: boolean;
  /** 200 characters when absent. */
  readonly most?: number;
  readonly pattern?: RegExp;
  /** What it has to be, for the message: `a name of letters, digits and hyphens`. */
  readonly what?: string;
}

export function readInput(input: Readonly<Record<string, unknown>>, problems: Problems, path = ''): InputReader {
  const asked = new Set<string>();
  const add = (field: string, code: string, detail: string) => problems.add(`${path}${field}`, code, detail);
  const given = (field: string, required = false): unknown => {
    asked.add(field);
    const value = input[field];
    // An empty string is what a form sends for a field that was left out.
    if (value !== undefined && value !== null && value !== '') return value;
    if (required) add(field, 'required', `${path}${field} is required`);
    return undefined;
  };
  const wrong = (field: string, value: unknown, what: string): undefined => {
    add(field, 'invalid', `${shown(value)} is not ${what}`);
    return undefined;
  };
  return {
    has: (field) => given(field) !== undefined,
    text(field, rule = {}) {
      const value = given(field, rule.required);
      if (value === undefined) return undefined;
      if (typeof value !== 'string') return wrong(field, value, rule.what ?? 'a text');
      const text = value.trim();
      const most = rule.most ?? 200;
      if (text.length > most) return wrong(field, value, `${rule.what ?? 'a text'} of at most ${most} characters`);
      return rule.pattern?.test(text) === false ? wrong(field, value, rule.what ?? 'a text of that form') : text;
    },
    integer(field, { least, most, required, what }) {
      const value = given(field, required);
      if (value === undefined) return undefined;
      const number = typeof value === 'string' && /^-?\d{1,15}$/.test(value) ? Number(value) : value;
      const fits = typeof number === 'number' && Number.isInteger(number) && number >= least && number <= most;
      return fits ? number : wrong(field, value, `${what ?? 'a whole number'} (${least} to ${most})`);
    },
    choice(field, words, required) {
      const value = given(field, required);
      if (value === undefined) return undefined;
      return words.find((word) => word === value) ?? wrong(field, value, `one of ${words.join(', ')}`);
    },
    flag(field) {
      const value = given(field);
      if (value === undefined || typeof value === 'boolean') return value;
      if (value === 'true' || value === 'false') return value === 'true';
      return wrong(field, value, 'true or false');
    },
    texts(field, most, required) {
      const value = given(field, required);
      if (value === undefined) return undefined;
      const list: unknown[] = Array.isArray(value) ? value : [value];
      if (list.length > most) return wrong(field, value, `a list of at most ${most} texts`);
      const texts = list.filter((item) => typeof item === 'string' && item.length <= 1000);
      return texts.length === list.length ? (texts as string[]) : wrong(field, value, 'a list of texts');
    },
    object(field) {
      const value = given(field);
      if (value === undefined) return undefined;
      if (typeof value === 'object' && !Array.isArray(value)) return value as Record<string, unknown>;
      return wrong(field, value, 'an object');
    },
    refuseOthers() {
      for (const key of Object.keys(input))
        if (!asked.has(key))
          add(
            key.slice(0, 100),
            'unknown_field',
            `there is no input ${shown(key)}; there are ${[...asked].join(', ')}`,
          );
    },
  };
}

const shown = (value: unknown): string => (JSON.stringify(value) ?? String(value)).slice(0, 120);

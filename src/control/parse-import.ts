import type { AddDomain } from '../contract/index.ts';
import { invalid } from './context.ts';

const MOST_LINES = 10_000;
const COLUMNS = new Set(['domain', 'redirect_to', 'route', 'on_demand']);

/**
 * CSV (RFC 4180, without line breaks in fields): a heading of `domain` and, if wanted, `redirect_to`, `route` and `on_demand`, or just
 * names, one a line. What is wrong with the file as a whole is thrown; what is wrong with a name is that line's outcome.
 */
export function parseImport(csv: string): { line: number; input: string }[] {
  const rows = csv
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .map((text, index) => ({ line: index + 1, fields: fieldsOf(text, index + 1) }))
    .filter(({ fields }) => fields.some((field) => field !== '') && !fields[0]!.startsWith('#'));
  const first = rows[0];
  const headed = first?.fields.some((field) => field.toLowerCase() === 'domain') === true;
  const columns = headed ? first.fields.map((field) => field.toLowerCase()) : ['domain'];
  const unknown = columns.find((column) => !COLUMNS.has(column));
  if (unknown !== undefined)
    throw invalid(
      'csv',
      'unknown_column',
      `line ${first?.line}: there is no column ${JSON.stringify(unknown.slice(0, 100))}`,
      'columns are domain, redirect_to, route, on_demand',
    );
  const lines = headed ? rows.slice(1) : rows;
  if (lines.length === 0) throw invalid('csv', 'empty_import', 'there is no name in it', 'give one name a line');
  if (lines.length > MOST_LINES)
    throw invalid(
      'csv',
      'import_too_long',
      `${lines.length} names are more than ${MOST_LINES}`,
      'make several imports',
    );
  return lines.map(({ line, fields }) => ({ line, input: JSON.stringify(inputOf(columns, fields)) }));
}

function inputOf(columns: readonly string[], fields: readonly string[]): AddDomain {
  const value = (name: string) => fields[columns.indexOf(name)] || undefined;
  const redirect = value('redirect_to');
  const route = value('route');
  const onDemand = value('on_demand');
  const isYes = (text: string) => !/^(false|no|0)$/i.test(text);
  return {
    domain: value('domain') ?? '',
    ...(redirect !== undefined && { redirect_to: redirect }),
    ...(route !== undefined && { route: isYes(route) }),
    ...(onDemand !== undefined && { on_demand: isYes(onDemand) }),
  };
}

function fieldsOf(text: string, line: number): string[] {
  if (text.length > 5_000) throw invalid('csv', 'line_too_long', `line ${line} is longer than 5000 characters`);
  const fields: string[] = [];
  const pattern = /(?:^|,)(?:"((?:[^"]|"")*)"|([^,"]*))/g;
  for (const match of text.matchAll(pattern)) fields.push((match[1]?.replaceAll('""', '"') ?? match[2] ?? '').trim());
  return fields;
}

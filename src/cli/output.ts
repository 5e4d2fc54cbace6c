import { styleText } from 'node:util';
import type { Environment } from '../base/index.ts';

export interface Output {
  readonly json: boolean;
  /** A line of the result, on standard output. */
  line(text?: string): void;
  /** The result as JSON, whole. */
  value(value: unknown): void;
  /** A line on standard error, for progress and notes; silent with `--json`. */
  note(text: string): void;
  table(headings: readonly string[], rows: readonly (readonly string[])[]): void;
  raw(text: string): void;
  good(text: string): string;
  bad(text: string): string;
  warn(text: string): string;
  dim(text: string): string;
  bold(text: string): string;
}

/** Standard output and standard error, or what a test reads instead. */
export interface Streams {
  readonly stdout: { write(text: string): unknown; readonly isTTY?: boolean };
  readonly stderr: { write(text: string): unknown; readonly isTTY?: boolean };
}

export function createOutput(json: boolean, env: Environment, streams: Streams): Output {
  const { stdout: out, stderr: err } = streams;
  // https://no-color.org: any value but an empty one.
  const coloured = out.isTTY === true && (env.NO_COLOR ?? '') === '' && env.TERM !== 'dumb';
  const style = (format: 'green' | 'red' | 'yellow' | 'dim' | 'bold') => (text: string) =>
    coloured ? styleText(format, text, { validateStream: false }) : text;
  const clean = (text: string) => text.replaceAll(/[\p{Cc}]/gu, (c) => (c === '\n' || c === '\u001b' ? c : ' '));
  return {
    json,
    line: (text = '') => void out.write(`${text}\n`),
    value: (value) => void out.write(`${JSON.stringify(value, null, 2)}\n`),
    note: (text) => void (json || err.write(`${text}\n`)),
    raw: (text) => void out.write(text),
    table(headings, rows) {
      const cells = [headings.map((heading) => style('dim')(heading)), ...rows.map((row) => row.map(clean))];
      const widths = headings.map((_, column) => Math.max(...cells.map((row) => width(row[column] ?? ''))));
      for (const row of cells)
        out.write(
          `${row
            .map((cell, column) => pad(cell, widths[column]!))
            .join('  ')
            .trimEnd()}\n`,
        );
    },
    good: style('green'),
    bad: style('red'),
    warn: style('yellow'),
    dim: style('dim'),
    bold: style('bold'),
  };
}

const STYLES = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'g');
const width = (text: string): number => [...text.replaceAll(STYLES, '')].length;
const pad = (text: string, to: number): string => text + ' '.repeat(Math.max(0, to - width(text)));

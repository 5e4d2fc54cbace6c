import type { Results } from './results.ts';
import { SERVER_NAMES, type ServerName } from './servers/index.ts';
import type { Measured, Work } from './work.ts';

// With so much of it used, the load's core and not the server may be what was measured.
const BUSY = 0.97;

export interface Summary {
  readonly value: number;
  readonly cpuUs: number | undefined;
  readonly p99Ms: number | undefined;
  readonly failed: number;
  readonly loadBusy: number | undefined;
  readonly note: string | undefined;
  readonly rounds: number;
}

export function median(numbers: readonly (number | undefined)[]): number | undefined {
  const known = numbers.filter((n) => n !== undefined && !Number.isNaN(n)).sort((a, b) => a! - b!);
  return known[Math.floor(known.length / 2)];
}

export function summarize(runs: readonly Measured[] | undefined): Summary | undefined {
  if (runs === undefined || runs.length === 0) return undefined;
  return {
    value: median(runs.map(({ value }) => value)) ?? Number.NaN,
    cpuUs: median(runs.map(({ cpuUs }) => cpuUs)),
    p99Ms: median(runs.map(({ p99Ms }) => p99Ms)),
    failed: runs.reduce((sum, { failed }) => sum + (failed || 0), 0),
    loadBusy: median(runs.map(({ loadBusy }) => loadBusy)),
    note: runs.at(-1)?.note,
    rounds: runs.length,
  };
}

/** Above 1 we are ahead, whichever way the work counts. */
function ratio(work: Work, ours: number | undefined, theirs: number | undefined): string | undefined {
  if (ours === undefined || theirs === undefined) return undefined;
  return (work.better === 'higher' ? ours / theirs : theirs / ours).toFixed(2);
}

const cpuRatio = (ours: Summary | undefined, theirs: Summary) =>
  ours?.cpuUs === undefined || theirs.cpuUs === undefined ? undefined : (theirs.cpuUs / ours.cpuUs).toFixed(2);

const figure = (value: number) => (value < 100 ? value.toFixed(2) : value.toFixed(0));

/** A block of lines for a person who waits. */
export function describe(work: Work, results: Results): string {
  const runs = results.of(work.name);
  const ours = summarize(runs.gatehouse);
  const lines = SERVER_NAMES.flatMap((name) => {
    const theirs = summarize(runs[name]);
    if (theirs === undefined) return [];
    const { value, cpuUs, p99Ms, failed, loadBusy, note, rounds } = theirs;
    const parts = [
      `  ${name.padEnd(12)} ${figure(value).padStart(8)} ${work.unit}`,
      cpuUs !== undefined && `${cpuUs.toFixed(0)} us`,
      p99Ms !== undefined && `p99 ${p99Ms.toFixed(2)} ms`,
      name !== 'gatehouse' && `gatehouse is ${ratio(work, ours?.value, value) ?? '?'}x`,
      name !== 'gatehouse' && cpuUs !== undefined && `by processor time ${cpuRatio(ours, theirs) ?? '?'}x`,
      loadBusy !== undefined && `load's core ${(loadBusy * 100).toFixed(0)} %${loadBusy > BUSY ? ' (its limit)' : ''}`,
      failed > 0 && `${failed} failed`,
      note,
      `${rounds} rounds`,
    ];
    return [parts.filter((part) => typeof part === 'string').join('  ')];
  });
  return `\n${work.name}: ${work.says}\n${lines.join('\n')}`;
}

/** What is known of every work: our figure, and beside each peer its own, the ratio, and the ratio by processor time. */
export function markdown(works: readonly Work[], results: Results): string {
  const peers = SERVER_NAMES.filter((name): name is Exclude<ServerName, 'gatehouse'> => name !== 'gatehouse');
  const rows = works.flatMap((work) => {
    const runs = results.of(work.name);
    const ours = summarize(runs.gatehouse);
    if (ours === undefined) return [];
    const cells = peers.map((name) => {
      const theirs = summarize(runs[name]);
      if (theirs === undefined) return '';
      const cpu = cpuRatio(ours, theirs);
      return `${figure(theirs.value)}: ${ratio(work, ours.value, theirs.value)}${cpu === undefined ? '' : ` (${cpu})`}`;
    });
    const limit = (ours.loadBusy ?? 0) > BUSY ? '*' : '';
    return [`| ${work.name}, ${work.unit} | ${figure(ours.value)}${limit} | ${cells.join(' | ')} |`];
  });
  const head = `| work | Gatehouse | ${peers.join(' | ')} |\n|---|--:|${peers.map(() => '--:|').join('')}`;
  return [head, ...rows, '', "`*`: the load's core was at its limit."].join('\n');
}

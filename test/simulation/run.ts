// npm run simulate -- [--certificates N] [--days N] [--seed N] [--json]
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { simulate } from './simulate.ts';

const { values } = parseArgs({
  options: {
    certificates: { type: 'string', default: '100000' },
    days: { type: 'string', default: '730' },
    seed: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
});
// Two years of a hundred thousand are gigabytes: in memory where the system has a file system there.
const directory = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'gatehouse-simulation-'));
process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
const report = await simulate({
  file: join(directory, 'store.db'),
  certificates: Number(values.certificates),
  days: Number(values.days),
  seed: Number(values.seed),
  progress: (line) => console.error(line),
});
const row = (words: string, value: string | number) => values.json || console.log(`${words.padEnd(62)} ${value}`);
if (values.json) console.log(JSON.stringify(report));
row('certificates, days, seed', `${report.certificates}, ${report.days}, ${report.seed}`);
row('issued (first ones and renewals)', report.issued);
row('lapsed though the CA could be reached in the last third', report.lapsed);
row('lapsed in all (outages longer than the last third included)', report.lapsedInAll);
row('served and unexpired at the end', report.served);
row('limits broken', report.limitsBroken);
row('orders, of which wasted', `${report.orders}, ${report.ordersWasted}`);
row('failed validations', report.failedValidations);
row('kills, clock jumps, hours of outage', `${report.kills}, ${report.clockJumps}, ${report.outageHours}`);
row(
  'largest hour against the even rate, after the first month',
  `${report.largestHour} against ${report.evenRate.toFixed(1)}`,
);
row(
  'processor time',
  `${report.cpuSeconds.toFixed(0)} s, ${report.cpuMsPerCertificateYear.toFixed(2)} ms a certificate-year`,
);
process.exitCode = report.lapsed === 0 && report.limitsBroken === 0 ? 0 : 1;

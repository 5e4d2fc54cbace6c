// npm run bench:edge [-- --work h1-1k,h2 --servers gatehouse,nginx --rounds 5 --seconds 5 --json FILE]
// npm run bench:edge -- --table --json FILE
// Every server pinned to core 0, load and backend to core 1; servers take turns within a round, so that what else the
// machine does meets all of them alike. Prints medians, and their ratios to ours. With --json, each round is kept at
// once, and later runs add theirs, so that a long measurement can be done in pieces.
import { parseArgs } from 'node:util';
import { openBench } from './edge/bench.ts';
import { keepIn } from './edge/results.ts';
import { SERVER_NAMES, type ServerName } from './edge/servers/index.ts';
import { describe, markdown } from './edge/table.ts';
import { CannotDo, type Measured, type Work } from './edge/work.ts';
import { WORKS } from './edge/works.ts';

const { values } = parseArgs({
  options: {
    work: { type: 'string', default: WORKS.map(({ name }) => name).join(',') },
    servers: { type: 'string', default: SERVER_NAMES.join(',') },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '4' },
    json: { type: 'string' },
    fresh: { type: 'boolean', default: false },
    table: { type: 'boolean', default: false },
  },
});
const wanted = values.work.split(',');
const names = values.servers.split(',') as ServerName[];
for (const name of wanted) if (!WORKS.some((work) => work.name === name)) throw new Error(`no such work: ${name}`);
for (const name of names) if (!SERVER_NAMES.includes(name)) throw new Error(`no such server: ${name}`);

const results = keepIn(values.json);
const works = WORKS.filter(({ name }) => wanted.includes(name));
if (!values.table) await measureAll();
console.log(`\n${markdown(WORKS, results)}`);

async function measureAll() {
  const bench = openBench(Number(values.seconds));
  const attempt = (work: Work, name: ServerName): Promise<Measured | undefined> =>
    work.measure(bench, name).catch((error: unknown) => {
      if (!(error instanceof CannotDo)) console.error(`${work.name} ${name}: ${String(error)}`);
      return undefined;
    });
  try {
    for (const work of works) {
      if (values.fresh) results.forget(work.name);
      for (let round = 0; round < (work.rounds ?? Number(values.rounds)); round++) {
        for (const name of names) {
          if (work.servers !== undefined && !work.servers.includes(name)) continue;
          const outcome = await attempt(work, name);
          if (outcome !== undefined) results.add(work.name, name, outcome);
        }
      }
      console.log(describe(work, results));
    }
  } finally {
    await bench.close();
  }
}

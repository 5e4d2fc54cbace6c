import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { ServerName } from './servers/index.ts';
import type { Measured } from './work.ts';

type Runs = Partial<Record<ServerName, Measured[]>>;

/** All rounds by work and server. */
export interface Results {
  of(work: string): Runs;
  add(work: string, server: ServerName, outcome: Measured): void;
  forget(work: string): void;
}

/** Kept in a file after each round when there is one, and begun with what it has. */
export function keepIn(file: string | undefined): Results {
  const all: Record<string, Runs> =
    file !== undefined && existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Record<string, Runs>) : {};
  const save = () => {
    if (file !== undefined) writeFileSync(file, `${JSON.stringify(all, null, 1)}\n`);
  };
  return {
    of: (work) => all[work] ?? {},
    add(work, server, outcome) {
      const runs = all[work] ?? {};
      all[work] = runs;
      runs[server] = [...(runs[server] ?? []), outcome];
      save();
    },
    forget(work) {
      delete all[work];
      save();
    },
  };
}

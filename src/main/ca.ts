import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createLogger, dataDirectory, systemClock } from '../base/index.ts';
import { createPictureWriter } from '../picture/index.ts';
import { createSupervised } from '../process/index.ts';
import { createSealer, loadMasterKeys } from '../secrets/index.ts';
import { readArguments } from './arguments.ts';
import { loadUpConfig } from './config.ts';
import { type ControlReady, type ControlStart, pictureFile, type ToControl } from './control-start.ts';
import { lockDataDirectory } from './lock.ts';
import { environmentOf, stopSignal } from './up.ts';

const DRAIN_MS = 10_000;

const HELP = `Usage: gatehouse ca serve [--config FILE] [--data-dir DIR] [--ready-file FILE]

The certificate authority and its ACME server alone: no edge. The API runs beside them, so that
"gatehouse profiles", "gatehouse ca" and "gatehouse audit" work as they do with "gatehouse up".

  --config FILE      YAML, as of "gatehouse up"; its edge is not started
  --data-dir DIR     where everything is kept (default: $GATEHOUSE_DATA_DIR, else ~/.local/share/gatehouse)
  --ready-file FILE  gets one JSON object of addresses once everything serves
  --json             log JSON lines, and print the ready object instead of words
  --help
`;

export async function run([command, ...argv]: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  if (command === 'perspective') return (await import('./perspective.ts')).run(argv, env);
  const read = readArguments('ca serve', HELP, argv, {
    config: { type: 'string' },
    'data-dir': { type: 'string' },
    'ready-file': { type: 'string' },
  });
  if (read === undefined) return 0;
  const options = read.values;
  const config = loadUpConfig(options.config, env);
  const dataDir = resolve(dataDirectory(env, options['data-dir']));
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const lock = lockDataDirectory(dataDir);
  const { format, level } = config.log;
  const pretty = format === 'auto' ? process.stderr.isTTY && options.json !== true : format === 'pretty';
  const log = createLogger({ level, pretty });
  const masterKeys = loadMasterKeys({
    file: join(dataDir, 'master.key'),
    ...(env.GATEHOUSE_MASTER_KEY !== undefined && { value: env.GATEHOUSE_MASTER_KEY }),
  });
  // The control half writes what an edge would read, also where there is none.
  createPictureWriter(pictureFile(dataDir), createSealer(masterKeys)).close();
  let ports: ControlReady['ports'] | undefined;
  const control = createSupervised(
    {
      name: 'certificate authority',
      entry: new URL('./control-half.ts', import.meta.url),
      env: environmentOf(env),
      init: (): ControlStart => ({
        config,
        dataDir,
        masterKeys,
        edge: { httpsPort: 0, httpPort: 0 },
        ...(ports && { ports }),
      }),
      onReady: (body) => {
        ports = (body as ControlReady).ports;
      },
    },
    { clock: systemClock, log },
  );
  const stopped = stopSignal(log);
  try {
    const ready = await Promise.race([control.firstReady as Promise<ControlReady>, stopped]);
    if (ready === undefined) return 0;
    announce(ready, options);
    control.send({ type: 'announced' } satisfies ToControl);
    await stopped;
  } finally {
    await control.stop(DRAIN_MS);
    lock.release();
  }
  return 0;
}

function announce(ready: ControlReady, options: { 'ready-file'?: string; json?: boolean }): void {
  const places = {
    api: `http://127.0.0.1:${ready.ports.api}`,
    acme_directory: ready.acmeDirectory,
    ca_root_file: ready.caRootFile,
    ...(ready.ports.ca !== undefined && { ca_http: `http://127.0.0.1:${ready.ports.ca}/ca/` }),
    ...(ready.adminToken !== undefined && { admin_token: ready.adminToken }),
    pid: process.pid,
  };
  const file = options['ready-file'];
  if (file !== undefined) {
    // Moved into place, so that who waits for the file never reads half of it.
    writeFileSync(`${file}.${process.pid}`, `${JSON.stringify(places)}\n`, { mode: 0o600 });
    renameSync(`${file}.${process.pid}`, file);
  }
  if (options.json === true) process.stdout.write(`${JSON.stringify(places)}\n`);
  else
    process.stdout.write(
      [
        `The ACME server is at ${places.acme_directory}`,
        `Its root is in ${places.ca_root_file}`,
        `The API is at ${places.api}`,
        ...(ready.adminToken === undefined ? [] : [`A token for the API, shown this once: ${ready.adminToken}`]),
        '',
      ].join('\n'),
    );
}

import { renameSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createSecureContext, type TLSSocket } from 'node:tls';
import { createPerspectiveHandler } from '../acme-server/index.ts';
import { createLogger, systemClock } from '../base/index.ts';
import { readArguments, usage } from './arguments.ts';
import { readConfigFile } from './config.ts';
import { type PerspectiveBundle, peerPin, takeOffered, writeBundle } from './perspective-identity.ts';
import { stopSignal } from './up.ts';

const COMMAND = 'ca perspective';

const HELP = `Usage: gatehouse ca perspective --identity FILE [--listen ADDRESS:PORT] [--resolver HOST:PORT]…

Checks challenges from here for an ACME server elsewhere, which asks over mutual TLS.

  --identity FILE       <data-dir>/perspectives/NAME.json of that server; it holds a private key,
                        and is written anew when that server sends the certificates of the next year
  --listen ADDRESS:PORT where to listen (default: 0.0.0.0:8445; port 0 takes any free one)
  --resolver HOST:PORT  DNS server of this place, instead of those that the profile names; repeat for several
  --ready-file FILE     gets {"port": …} once it listens
  --help
`;

export async function run(argv: readonly string[], _env: NodeJS.ProcessEnv): Promise<number> {
  const read = readArguments(COMMAND, HELP, argv, {
    identity: { type: 'string' },
    listen: { type: 'string', default: '0.0.0.0:8445' },
    resolver: { type: 'string', multiple: true },
    'ready-file': { type: 'string' },
  });
  if (read === undefined) return 0;
  const options = read.values;
  const { identity: file } = options;
  if (file === undefined) throw usage(COMMAND, '--identity is missing');
  let bundle = readBundle(file);
  const [, address, port] = /^(.*):(\d{1,5})$/.exec(options.listen) ?? [];
  if (address === undefined || Number(port) > 65_535)
    throw usage(COMMAND, `--listen ${options.listen} is not ADDRESS:PORT`);
  const log = createLogger({ level: 'info', pretty: process.stderr.isTTY });
  const tls = () => ({ cert: bundle.certificate, key: bundle.key, ca: bundle.root, minVersion: 'TLSv1.3' as const });
  const handler = createPerspectiveHandler({
    clock: systemClock,
    log,
    resolvers: options.resolver ?? [],
    takeIdentity(offered) {
      const next = takeOffered(bundle, offered, systemClock.now());
      if (next.certificate === bundle.certificate && next.root === bundle.root) return;
      createSecureContext({ cert: next.certificate, key: next.key, ca: next.root });
      writeBundle(file, next);
      bundle = next;
      server.setSecureContext(tls());
      log.info({ perspective: next.name }, 'this perspective has its next certificates');
    },
  });
  const server = createServer(
    { ...tls(), requestCert: true, rejectUnauthorized: true, requestTimeout: 70_000 },
    (request, response) => {
      // A certificate of our CA is not enough: others have one too.
      if (peerPin((request.socket as TLSSocket).getPeerCertificate()) === bundle.asker)
        return handler(request, response);
      response.writeHead(403).end();
    },
  );
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(Number(port), address.replace(/^\[(.*)\]$/, '$1'), resolve);
  });
  const bound = (server.address() as AddressInfo).port;
  log.info({ perspective: bundle.name, port: bound }, 'this perspective can be asked');
  const ready = options['ready-file'];
  if (ready !== undefined) {
    writeFileSync(`${ready}.${process.pid}`, JSON.stringify({ port: bound }));
    renameSync(`${ready}.${process.pid}`, ready);
  }
  await stopSignal(log);
  server.close();
  server.closeAllConnections();
  return 0;
}

function readBundle(file: string): PerspectiveBundle {
  const text = readConfigFile(file);
  try {
    const bundle = JSON.parse(text) as PerspectiveBundle;
    if ([bundle.certificate, bundle.key, bundle.root, bundle.asker].every((part) => typeof part === 'string'))
      return bundle;
  } catch {}
  throw usage(COMMAND, `${file} is not the identity of a perspective`);
}

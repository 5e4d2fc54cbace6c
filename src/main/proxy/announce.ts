import { renameSync, writeFileSync } from 'node:fs';
import type { RunningProxy } from '../../edge/index.ts';
import type { LoadedProxy } from './load-proxy-config.ts';
import { proxyGreeting } from './proxy-greeting.ts';

export interface AnnounceTo {
  readonly file: string;
  readonly readyFile: string | undefined;
  readonly json: boolean;
}

/** Tells files, programs and people where everything is. */
export async function announce(
  { file, readyFile, json }: AnnounceTo,
  { config, plan }: LoadedProxy,
  proxy: RunningProxy,
  healthPort: number | undefined,
): Promise<void> {
  const urlOf = (scheme: string, address: string, port: number | undefined) =>
    port === undefined ? undefined : `${scheme}://${hostOf(address)}:${port}`;
  const listeners = proxy.listeners.map(({ id, address, httpsPort, httpPort }) => ({
    id,
    https: urlOf('https', address, httpsPort),
    http: urlOf('http', address, httpPort),
  }));
  const places = {
    edge_https: listeners.find(({ https }) => https !== undefined)?.https,
    edge_http: listeners.find(({ http }) => http !== undefined)?.http,
    listeners,
    health: urlOf('http', config.health?.address ?? '', healthPort),
    pid: process.pid,
  };
  if (readyFile !== undefined) {
    // Moved into place, so that who waits for the file never reads half of it.
    const draft = `${readyFile}.${process.pid}`;
    writeFileSync(draft, `${JSON.stringify(places)}\n`, { mode: 0o600 });
    renameSync(draft, readyFile);
  }
  const { format, file: accessFile } = config.access_log;
  if (json) process.stdout.write(`${JSON.stringify(places)}\n`);
  // Standard output is the access log's where that is asked for.
  else if (format === 'off' || accessFile !== undefined)
    process.stdout.write(
      proxyGreeting({ ...places, file, adminSocket: config.admin?.socket }, plan, await proxy.status()),
    );
}

const hostOf = (address: string) =>
  address === '0.0.0.0' || address === '::' ? 'localhost' : address.includes(':') ? `[${address}]` : address;

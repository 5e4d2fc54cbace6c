import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from '../processes.ts';

export interface CertificateFiles {
  readonly names: readonly string[];
  readonly cert: string;
  readonly key: string;
  /** Chain and key in one file, as HAProxy wants them. */
  readonly both: string;
}

/** What a server under measurement is given. */
export interface Setting {
  /** Private to this run of the server. */
  readonly directory: string;
  readonly port: number;
  /** Ports of the backend: HTTP/1.1, HTTP/2 without TLS, and the WebSocket echo. */
  readonly backend: number;
  readonly backendH2c: number;
  readonly backendEcho: number;
  /** The first is for the address that the load connects to. */
  readonly certificates: readonly CertificateFiles[];
  readonly upstream: 'http' | 'h2c' | 'echo';
  readonly cores: 1 | 2;
}

/** How a server is started; `undefined` when it cannot do the work. */
export type Server = (setting: Setting) => Command | undefined;

export function write(setting: Setting, name: string, text: string): string {
  const path = join(setting.directory, name);
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}

export const upstreamPort = ({ upstream, backend, backendH2c, backendEcho }: Setting): number =>
  ({ http: backend, h2c: backendH2c, echo: backendEcho })[upstream];

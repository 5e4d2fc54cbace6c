import type { Samples } from '../edge/index.ts';
import type { UpConfig } from './config.ts';

/** What the supervisor tells the control half when it starts it; it travels over IPC, since it holds the master keys. */
export interface ControlStart {
  readonly config: UpConfig;
  readonly dataDir: string;
  /** The first seals, all open. */
  readonly masterKeys: readonly [Uint8Array, ...Uint8Array[]];
  /** Ports that are really bound, which matter where the configuration says 0. */
  readonly edge: { readonly httpsPort: number; readonly httpPort: number };
  /** Ports of an earlier run of the control half: a restarted one comes back where it was. */
  readonly ports?: ControlPorts;
}

export interface ControlPorts {
  readonly api: number;
  readonly acme: number;
  readonly agents: number;
  /** Of revocation lists and OCSP over plain HTTP, where they are served so. */
  readonly ca?: number;
}

/** What the control half answers once everything of it serves. */
export interface ControlReady {
  readonly ports: ControlPorts;
  readonly acmeDirectory: string;
  readonly caRootFile: string;
  /** Only on the first start of a data directory. */
  readonly adminToken?: string;
}

/** What the supervisor tells it later. */
export type ToControl =
  | { readonly type: 'announced' }
  /** What the edge counts, every few seconds. */
  | { readonly type: 'edge'; readonly samples: Samples }
  /** A handshake at the edge waits for the certificate of a routed name. */
  | { readonly type: 'wanted_name'; readonly name: string; readonly address: string };

/** What the control half tells the supervisor. */
export type FromControl = { readonly type: 'refuse_name'; readonly name: string; readonly forMs: number };

export const pictureFile = (dataDir: string): string => `${dataDir}/edge/picture.db`;
export const caRootFile = (dataDir: string): string => `${dataDir}/ca-root.pem`;

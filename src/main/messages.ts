import type { UpConfig } from './config.ts';

/** From the supervisor to the control half, once, over the IPC channel: it holds the master keys. */
export interface ControlStart {
  readonly type: 'start';
  readonly config: UpConfig;
  readonly dataDir: string;
  /** Base64; the first seals, all open. */
  readonly masterKeys: readonly string[];
  /** Ports that are really bound, which matter where the configuration says 0. */
  readonly edge: { readonly httpsPort: number; readonly httpPort: number };
  /** Ports of an earlier control half of this supervisor: a restarted one comes back where it was. */
  readonly ports?: { readonly api: number; readonly acme: number };
}

/** From the control half, once everything of it serves. */
export interface ControlReady {
  readonly type: 'ready';
  readonly ports: { readonly api: number; readonly acme: number };
  readonly acmeDirectory: string;
  readonly caRootFile: string;
  /** Only on the first start of a data directory. */
  readonly adminToken?: string;
}

/** From the control half when it cannot start; it ends afterwards. */
export interface ControlFailed {
  readonly type: 'failed';
  readonly detail: string;
  readonly advice?: string;
}

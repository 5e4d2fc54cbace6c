import type { LogLevel } from '../base/index.ts';
import type { Counted } from './limits/counted.ts';
import type { ListenerSettings } from './listen/settings.ts';
import type { AccessLogSettings } from './observe/access-log.ts';
import type { Samples } from './observe/series.ts';
import type { ConnectionState, PlaneSettings } from './plane/index.ts';
import type { TicketKeys } from './tls/ticket-keys.ts';

/** One bound socket as a worker sees it. Every worker has those of all slots and listens on those of its own. */
export interface InheritedSocket {
  /** Of the port: the same in every worker. */
  readonly key: string;
  readonly slot: number;
  readonly listener: string;
  readonly role: 'tls' | 'plain';
  readonly fd: number;
}

/** A picture file and what opens the keys in it. */
export interface PictureFile {
  readonly path: string;
  /** The first seals, all open. */
  readonly masterKeys: readonly Uint8Array[];
}

/** What may change while a worker runs. */
export interface EdgeSettings {
  readonly listeners: readonly ListenerSettings[];
  readonly plane: PlaneSettings;
  readonly accessLog: AccessLogSettings;
}

export interface WorkerInit {
  readonly slot: number;
  readonly sockets: readonly InheritedSocket[];
  /** Routes, and the certificates of listeners without a picture of their own. */
  readonly picture: PictureFile;
  /** Listener id -> picture of its certificates and challenges. */
  readonly listenerPictures: Readonly<Record<string, PictureFile>>;
  readonly settings: EdgeSettings;
  readonly tickets: TicketKeys;
  /** How many there are of us. */
  readonly workers: number;
  readonly contexts: number;
  readonly log: { readonly level: LogLevel; readonly pretty: boolean };
}

export type ToWorker =
  | { readonly type: 'tickets'; readonly tickets: TicketKeys }
  | {
      readonly type: 'settings';
      readonly settings: EdgeSettings;
      readonly listenerPictures: Readonly<Record<string, PictureFile>>;
      /** Of the ports that there are; other ones are left. */
      readonly ports: readonly string[];
    }
  /** Comes with the socket. */
  | { readonly type: 'listen'; readonly socket: Omit<InheritedSocket, 'fd'> }
  /** What other workers counted. */
  | { readonly type: 'counted'; readonly counted: Counted }
  /** Listen on another slot's sockets too: its own worker is down. */
  | { readonly type: 'adopt'; readonly slot: number }
  | { readonly type: 'refuse_name'; readonly serverName: string; readonly forMs: number }
  /** `connections`: list each open one too, which a bare count of numbers need not. */
  | { readonly type: 'report'; readonly id: number; readonly connections: boolean };

export type FromWorker =
  | { readonly type: 'report'; readonly id: number; readonly report: WorkerReport }
  | { readonly type: 'counted'; readonly pid: number; readonly counted: Counted }
  /** A handshake waits for the certificate of a routed name; `address` is what limits count by. */
  | { readonly type: 'wanted_name'; readonly serverName: string; readonly address: string };

export interface WorkerReport {
  readonly pid: number;
  readonly certificates: number;
  readonly contexts: number;
  readonly handshaking: number;
  readonly rssBytes: number;
  readonly samples: Samples;
  readonly connections: readonly ConnectionState[];
}

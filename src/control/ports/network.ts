import type { FaultDetails } from '../../base/index.ts';

export type MissionStatus = 'proposed' | 'approved' | 'rejected' | 'running' | 'succeeded' | 'failed' | 'expired';

export interface MissionView {
  readonly id: string;
  readonly kind: string;
  readonly title: string;
  readonly status: MissionStatus;
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly plan: readonly { readonly step: string; readonly action: string; readonly detail: string }[];
  readonly stepsCompleted: readonly string[];
  readonly warnings: readonly string[];
  readonly result?: Readonly<Record<string, unknown>>;
  readonly lastProblem?: FaultDetails;
  readonly attempts: number;
  readonly summary: string;
  readonly askedBy: string;
  readonly approvals: readonly { readonly by: string; readonly at: number }[];
  readonly approvalsNeeded: number;
  readonly rejectedBy?: string;
  readonly expiresAt: number;
  readonly createdAt: number;
  readonly updatedAt: number;
}

export interface MissionEvent {
  readonly seq: number;
  readonly at: number;
  readonly step: string;
  readonly state: string;
  readonly detail: string;
}

export interface MissionPort {
  /** Checks inputs and throws a `Fault` with every problem; nothing runs before approval. */
  propose(kind: string, inputs: Readonly<Record<string, unknown>>, askedBy: string): Promise<MissionView>;
  list(
    filter: { statuses?: readonly MissionStatus[] },
    page: { before?: string; limit: number },
  ): Promise<MissionView[]>;
  get(id: string): Promise<MissionView | undefined>;
  approve(id: string, by: string): Promise<MissionView>;
  reject(id: string, by: string, reason: string): Promise<MissionView>;
  events(id: string, after: number, limit: number): Promise<MissionEvent[]>;
}

/** A resource whose shape its own engine knows: documents in, documents out, already in the API's words. */
export interface DocumentCollection {
  list(page: { after?: string; limit: number; network?: string }): Promise<readonly NetworkDocument[]>;
  get(id: string): Promise<NetworkDocument | undefined>;
  /** Throws a `Fault` that names each wrong field. */
  create(input: Readonly<Record<string, unknown>>): Promise<NetworkDocument>;
  remove(id: string): Promise<void>;
}

export type NetworkDocument = Readonly<Record<string, unknown>> & { readonly id: string };

export interface NetworkPort {
  readonly networks: DocumentCollection;
  readonly peers: DocumentCollection;
  readonly virtualIps: DocumentCollection;
  readonly portMappings: DocumentCollection;
}

export interface ConversationPort {
  start(askedBy: string): Promise<NetworkDocument>;
  list(page: { before?: string; limit: number }): Promise<NetworkDocument[]>;
  get(id: string): Promise<NetworkDocument | undefined>;
  messages(id: string, after: number, limit: number): Promise<NetworkDocument[]>;
  /** Answers the concierge's reply; a mission it proposed is named in it. */
  say(id: string, text: string, by: string): Promise<NetworkDocument>;
}

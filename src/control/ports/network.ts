import type { FaultDetails } from '../../base/index.ts';
import type { MissionStatus, Standing } from '../../store/missions.ts';

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
  readonly askedByName: string;
  readonly approvals: readonly { readonly by: string; readonly name: string; readonly at: number }[];
  readonly approvalsNeeded: number;
  readonly rejectedBy?: string;
  readonly rejectedByName?: string;
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

/** Nothing here runs a step: approval is noted, and the runner takes what is approved from the store. */
export interface MissionPort {
  /** Checks inputs and throws a `Fault` with every problem; nothing runs before approval. */
  propose(kind: string, inputs: Readonly<Record<string, unknown>>, asker: Standing): Promise<MissionView>;
  list(
    filter: { statuses?: readonly MissionStatus[] },
    page: { before?: string; limit: number },
  ): Promise<MissionView[]>;
  get(id: string): Promise<MissionView | undefined>;
  approve(id: string, by: Standing): Promise<MissionView>;
  reject(id: string, by: Standing, reason: string): Promise<MissionView>;
  events(id: string, after: number, limit: number): Promise<MissionEvent[]>;
}

/** A resource whose shape its own engine knows: documents in, documents out, already in the API's words. */
export interface DocumentCollection {
  list(page: { after?: string; limit: number; network?: string }): Promise<readonly NetworkDocument[]>;
  get(reference: string): Promise<NetworkDocument | undefined>;
  /** Throws a `Fault` that names each wrong field. */
  create(input: Readonly<Record<string, unknown>>): Promise<NetworkDocument>;
  remove(reference: string): Promise<void>;
}

export type NetworkDocument = Readonly<Record<string, unknown>> & { readonly id: string };

export interface NetworkPort {
  readonly networks: DocumentCollection;
  readonly instances: DocumentCollection;
  readonly peers: DocumentCollection;
  readonly virtualIps: DocumentCollection;
  readonly portMappings: DocumentCollection;
  /** A token with which the peer's agent enrols, once and soon; absent where agents are not served. */
  enrol?(peerId: string, by: string): Promise<{ token: string; expiresAt: number; command: string }>;
}

export interface ConversationView {
  readonly id: string;
  readonly askedBy: string;
  readonly missionId?: string;
  readonly understood: Readonly<Record<string, unknown>>;
  readonly createdAt: number;
  readonly updatedAt: number;
}

export interface ConversationMessageView {
  readonly seq: number;
  readonly at: number;
  readonly author: 'person' | 'concierge';
  readonly by: string;
  readonly text: string;
  /** The input that it asks for, and what there is to choose from. */
  readonly asks?: string;
  readonly choices: readonly { readonly value: string; readonly label: string }[];
  readonly missionId?: string;
}

export interface ConversationPort {
  start(askedBy: string): Promise<ConversationView>;
  /** Those of `askedBy`, newest first. */
  list(askedBy: string, page: { before?: string; limit: number }): Promise<ConversationView[]>;
  get(id: string): Promise<ConversationView | undefined>;
  messages(id: string, after: number, limit: number): Promise<ConversationMessageView[]>;
  /** Answers the concierge's reply. `propose` is the caller's, so that its permissions and audit apply. */
  say(
    id: string,
    text: string,
    by: string,
    propose: (kind: string, inputs: Readonly<Record<string, unknown>>) => Promise<{ readonly id: string }>,
  ): Promise<ConversationMessageView>;
}

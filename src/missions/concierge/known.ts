/** What there is, so that words can be recognized and choices offered. */
export interface Known {
  readonly networks: readonly { readonly id: string; readonly name: string; readonly free: readonly string[] }[];
  readonly peers: readonly KnownPeer[];
  readonly instances: readonly { readonly id: string; readonly name: string; readonly networkIds: readonly string[] }[];
  readonly issuers: readonly string[];
  readonly credentials: readonly {
    readonly id: string;
    readonly name: string;
    readonly provider: string;
    readonly zones: readonly string[];
  }[];
  readonly exposed: readonly string[];
}

export interface KnownPeer {
  readonly id: string;
  readonly name: string;
  readonly networkId: string;
  readonly hub: boolean;
}

export const NOTHING_KNOWN: Known = {
  networks: [],
  peers: [],
  instances: [],
  issuers: [],
  credentials: [],
  exposed: [],
};

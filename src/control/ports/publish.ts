/** A route as it is derived and published; the monitor shows exactly this. */
export interface IngressRouteView {
  readonly id: string;
  readonly hosts: readonly string[];
  readonly source: string;
  readonly certificateId?: string;
  readonly routers: readonly {
    readonly name: string;
    readonly path: string;
    readonly backend: string;
    readonly entrypoint: string;
  }[];
  readonly delivery: readonly {
    readonly publisher: string;
    readonly state: 'wanted' | 'delivered' | 'seen';
    readonly at?: number;
    readonly problem?: string;
  }[];
}

export interface PublisherView {
  readonly name: string;
  readonly upToDateAt: number | undefined;
  readonly pending: number;
  readonly lastProblem: { readonly detail: string; readonly advice?: string } | undefined;
}

export interface IngressRoutePort {
  list(filter: { prefix?: string }, page: { after?: string; limit: number }): Promise<IngressRouteView[]>;
  get(id: string): Promise<IngressRouteView | undefined>;
  /** How far each place is, as a whole. */
  publishers?(): readonly PublisherView[];
  /** Traefik's HTTP-provider document and its ETag. */
  traefik?(): Promise<{ body: string; etag: string }>;
  /** Publishes everything again; for a person who mended a publisher. */
  compose?(certificateId?: string): Promise<void>;
}

/** Where clients are shown something else than what was issued. */
export interface ServingFindingView {
  readonly publisher: string;
  readonly name: string;
  readonly certificateId: string;
  readonly kind: 'nothing_shown' | 'default_certificate' | 'differs' | 'expired' | 'chain' | 'not_looked_at';
  readonly detail: string;
  readonly since: number;
  readonly advice: string;
}

export interface ServingFindingPort {
  of(certificateId: string): Promise<readonly ServingFindingView[]>;
  /** Those that several looks confirmed, and how many names they are about at each publisher. */
  standing(shown: number): Promise<{
    readonly findings: readonly ServingFindingView[];
    readonly names: ReadonlyMap<string, number>;
  }>;
}

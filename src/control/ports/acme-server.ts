import type { AcmeAdministration } from '../../acme-server/index.ts';

export type { AccountView, EabKeyView, OrderView, ProfileView } from '../../acme-server/index.ts';

/** The ACME server and its authority. Its administration checks its input and writes its own audit events. */
export interface AcmeServerPort {
  readonly administration: AcmeAdministration;
  /** PEM of the root. */
  rootPem(): string | Promise<string>;
  /** Prometheus text of server and authority. */
  metrics?(): Promise<string>;
  /** The authorities themselves; absent where they are not ours to change. */
  readonly hierarchy?: HierarchyPort;
}

export interface AuthorityView {
  readonly id: string;
  readonly kind: 'root' | 'intermediate';
  readonly state: 'active' | 'retired';
  readonly notAfter: number;
  readonly pem: string;
}

export interface HierarchyPort {
  list(): readonly AuthorityView[];
  /** Writes its own audit event, by `actor`, when it was done; so does `import`. */
  rollOver(options: { readonly root: boolean }, actor: string): Promise<AuthorityView>;
  import(
    input: { readonly chainPem: string; readonly key: { readonly pem: string; readonly passphrase?: string } },
    actor: string,
  ): Promise<AuthorityView>;
  /** What the CA could not do by itself. */
  findings(): readonly { readonly detail: string; readonly advice: string }[];
}

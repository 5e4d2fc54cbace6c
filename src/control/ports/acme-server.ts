import type { AcmeAdministration } from '../../acme-server/index.ts';

export type { AccountView, EabKeyView, OrderView, ProfileView } from '../../acme-server/index.ts';

/** The ACME server and its authority. Its administration checks its input and writes its own audit events. */
export interface AcmeServerPort {
  readonly administration: AcmeAdministration;
  /** PEM of the root. */
  rootPem(): string | Promise<string>;
}

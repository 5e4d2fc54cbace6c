import type { Clock, Logger } from '../base/index.ts';
import type { PictureWriter } from '../picture/index.ts';
import type { SecretStore } from '../secrets/index.ts';
import type { Store } from '../store/index.ts';
import { createDomainSource } from './domain-source.ts';
import { createEdgeTarget } from './edge-target.ts';
import { createPublisher, type Publisher } from './publisher.ts';
import type { RouteSource } from './route-group.ts';
import { createServedCertificates } from './served-certificates.ts';

export interface EdgePublisherDeps {
  readonly store: Store;
  readonly secrets: Pick<SecretStore, 'get'>;
  readonly picture: PictureWriter;
  readonly clock: Clock;
  readonly log: Logger;
  /** Port by which clients reach our HTTPS; 443 when absent. */
  readonly httpsPort?: number;
  /** Where routes come from besides apps and their domains. */
  readonly sources?: readonly RouteSource[];
  readonly onDelivered?: (items: readonly string[]) => void;
}

/** Brings apps, domains and certificates of the store into the edge's picture, within milliseconds of their commit. */
export function createEdgePublisher(deps: EdgePublisherDeps): Publisher {
  const { store, secrets, picture, clock, log, httpsPort, sources = [], onDelivered } = deps;
  return createPublisher({
    store,
    sources: [createDomainSource(store.db), ...sources],
    certificates: createServedCertificates(store.db, secrets),
    target: createEdgeTarget(picture, httpsPort),
    clock,
    log,
    ...(onDelivered && { onDelivered }),
  });
}

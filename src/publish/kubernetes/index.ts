import { createPublisher, type Publisher, type PublisherDeps } from '../publisher.ts';
import type { ClusterCertificate } from './certificate-status.ts';
import type { KubeClient } from './client.ts';
import type { KubernetesSettings } from './settings.ts';
import { createKubernetesTarget } from './target.ts';
import { watchCertificates } from './watch-certificates.ts';

export interface KubernetesPublisherDeps extends Omit<PublisherDeps, 'target'> {
  readonly client: KubeClient;
  /** Told what cert-manager makes of an item's Certificate, where certificates are delegated. */
  onCertificate?(item: string, name: string, status: ClusterCertificate | undefined): Promise<void>;
}

export interface KubernetesPublisher extends Publisher {
  readonly groupsOnly: boolean;
  /** Has cert-manager begin anew with an item's certificate, once a change of the item is delivered. */
  restart(item: string): Promise<void>;
}

/** Keeps the objects of a namespace, and follows what cert-manager makes of them. */
export function createKubernetesPublisher(
  { client, onCertificate, ...deps }: KubernetesPublisherDeps,
  settings: KubernetesSettings,
): KubernetesPublisher {
  const { clock, log } = deps;
  const target = createKubernetesTarget(client, settings);
  const publisher = createPublisher({ ...deps, target });
  const delegated = settings.certificates === 'delegated';
  return {
    ...publisher,
    groupsOnly: delegated,
    restart: target.restart,
    async run(signal) {
      const watching =
        delegated && onCertificate !== undefined
          ? watchCertificates({ client, namespace: settings.namespace, clock, log, onStatus: onCertificate }, signal)
          : undefined;
      await Promise.all([publisher.run(signal), watching]);
    },
  };
}

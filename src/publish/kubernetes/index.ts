import { createPublisher, type Publisher, type PublisherDeps } from '../publisher.ts';
import type { KubeClient } from './client.ts';
import type { KubernetesSettings } from './settings.ts';
import { createKubernetesTarget } from './target.ts';

export type KubernetesPublisherDeps = Omit<PublisherDeps, 'target'> & { readonly client: KubeClient };

/** Keeps the objects of a namespace. */
export function createKubernetesPublisher(
  { client, ...deps }: KubernetesPublisherDeps,
  settings: KubernetesSettings,
): Publisher & { readonly groupsOnly: boolean } {
  const publisher = createPublisher({ ...deps, target: createKubernetesTarget(client, settings) });
  return { ...publisher, groupsOnly: settings.certificates === 'delegated' };
}

import { type Clock, createBell, errorText, type Logger } from '../../base/index.ts';
import { planRetry } from '../plan-retry.ts';
import type { ClusterCertificate } from './certificate-status.ts';
import { createCertificateTree, ISSUANCE_KINDS, type IssuanceKind } from './certificate-tree.ts';
import type { KubeClient } from './client.ts';
import { type KubeObject, MANAGED_BY } from './objects.ts';

export interface CertificateWatchDeps {
  readonly client: Pick<KubeClient, 'list' | 'watch'>;
  readonly namespace: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** Told of every change, and of everything at the beginning; undefined once the Certificate is gone. May be told twice. */
  onStatus(item: string, name: string, status: ClusterCertificate | undefined): Promise<void>;
}

/** Follows what cert-manager makes of our Certificates, until the signal aborts. Never rejects. */
export async function watchCertificates(deps: CertificateWatchDeps, signal: AbortSignal): Promise<void> {
  const { clock, log } = deps;
  const tree = createCertificateTree();
  const bell = createBell(clock);
  /** Names of certificates of which something new may be known. */
  const dirty = new Set<string>();
  /** Name -> what was told last. */
  const told = new Map<string, { item: string; words: string }>();
  const touch = (names: readonly string[]) => {
    for (const name of names) dirty.add(name);
    if (names.length > 0) bell.ring();
  };

  const tell = async (name: string) => {
    const before = told.get(name);
    const now = tree.statusOf(name);
    if (now === undefined) {
      told.delete(name);
      if (before !== undefined) await deps.onStatus(before.item, name, undefined);
      return;
    }
    const words = JSON.stringify(now);
    if (before?.words === words) return;
    await deps.onStatus(now.item, name, now.status);
    told.set(name, { item: now.item, words });
  };
  const tellAll = async () => {
    for (;;) {
      await bell.wait(dirty.size > 0 ? planRetry(1) : 3_600_000, signal);
      for (const name of [...dirty])
        try {
          // Before it is told, so that an event that comes meanwhile is not lost.
          dirty.delete(name);
          await tell(name);
        } catch (error) {
          dirty.add(name);
          log.warn({ certificate: name, error: errorText(error) }, 'what the cluster says could not be noted');
        }
    }
  };
  const follow = async (kind: IssuanceKind) => {
    // What comes of our Certificates is told apart by its owner; cert-manager gives it labels of its own.
    const labels = kind === 'Certificate' ? { labels: MANAGED_BY } : {};
    for (let attempt = 0; ; )
      try {
        const { items, resourceVersion } = await deps.client.list(kind, deps.namespace, labels.labels);
        touch(tree.reset(kind, items.map(reduced)));
        attempt = 0;
        for (let from = resourceVersion; ; )
          for await (const { type, object } of deps.client.watch(kind, deps.namespace, {
            resourceVersion: from,
            ...labels,
            signal,
          })) {
            from = object.metadata.resourceVersion ?? from;
            if (type === 'BOOKMARK') continue;
            touch(type === 'DELETED' ? tree.drop(kind, object.metadata.name) : tree.put(kind, reduced(object)));
          }
      } catch (error) {
        signal.throwIfAborted();
        // A watch that is too old begins again from a list, and so does everything else, after a pause.
        attempt++;
        log.warn({ kind, attempt, error: errorText(error) }, 'a watch of the cluster begins again');
        await clock.sleep(planRetry(attempt), signal);
      }
  };
  await Promise.all([tellAll(), ...ISSUANCE_KINDS.map(follow)]).catch((error) => {
    if (!signal.aborted) throw error;
  });
}

/** What is looked at; the rest of thousands of objects need not be kept. */
const reduced = ({ apiVersion, kind, metadata, status }: KubeObject): KubeObject => {
  const { name, uid, labels, ownerReferences, creationTimestamp } = metadata;
  return {
    apiVersion,
    kind,
    metadata: {
      name,
      ...(uid && { uid }),
      ...(labels && { labels }),
      ...(ownerReferences && { ownerReferences }),
      ...(creationTimestamp && { creationTimestamp }),
    },
    status,
  };
};

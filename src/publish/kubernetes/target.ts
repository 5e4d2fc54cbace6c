import { Fault, faultOf } from '../../base/index.ts';
import type { PublishTarget } from '../publish-target.ts';
import { groupDigest } from '../route-group.ts';
import type { KubeClient } from './client.ts';
import { ITEM_LABEL, KINDS, type Kind, type KubeObject, MANAGED_BY, STATE_ANNOTATION } from './objects.ts';
import { groupNames, renderBaseObjects, renderCertificateSecret, renderGroupObjects } from './render.ts';
import type { KubernetesSettings } from './settings.ts';

const WRITTEN_KINDS = {
  traefik: ['IngressRoute', 'IngressRouteTCP', 'Middleware', 'ServersTransport', 'TLSOption', 'ConfigMap'],
  gateway: ['Gateway', 'HTTPRoute'],
  ingress: ['Ingress'],
} as const satisfies Record<KubernetesSettings['routes'], readonly Kind[]>;
const CERTIFICATE_KINDS = { delegated: ['Certificate'], native: ['Secret'] } as const;
const SERVICE_KINDS = ['Service', 'EndpointSlice'] as const;

const BASE_ITEM = 'base';
const AT_ONCE = 8;

export interface KubernetesTarget extends PublishTarget {
  /**
   * Removes the Certificate of an item, so that cert-manager begins anew, without its pauses after failures. The next
   * delivery of the item writes it again.
   */
  restart(item: string): Promise<void>;
}

/** One object of ours in the cluster. */
interface Held {
  readonly kind: Kind;
  readonly name: string;
  readonly uid: string | undefined;
  readonly state: string | undefined;
}

/**
 * Objects in a namespace, written by server-side apply: each says by label what it was derived from, and by annotation in
 * which state, so a restart reads them back and writes only what differs. Objects of others are never touched.
 */
export function createKubernetesTarget(client: KubeClient, settings: KubernetesSettings): KubernetesTarget {
  const { namespace } = settings;
  const needed: readonly Kind[] = [
    ...WRITTEN_KINDS[settings.routes],
    ...CERTIFICATE_KINDS[settings.certificates],
    ...SERVICE_KINDS,
  ];
  const held = new Map<string, Held[]>();
  const ownerOfName = new Map<string, string>();

  const remember = (item: string, objects: readonly Held[]) => {
    for (const { name } of held.get(item) ?? []) if (ownerOfName.get(name) === item) ownerOfName.delete(name);
    if (objects.length === 0) held.delete(item);
    else held.set(item, [...objects]);
    for (const { name } of objects) ownerOfName.set(name, item);
  };

  const listKind = async (kind: Kind): Promise<readonly KubeObject[]> => {
    try {
      return (await client.list(kind, namespace, MANAGED_BY)).items;
    } catch (error) {
      // Kinds that an earlier configuration wrote are looked at too; they may be neither installed nor permitted now.
      const { code } = faultOf(error);
      if (!needed.includes(kind) && (code === 'cluster_lacks_kind' || code === 'cluster_forbidden')) return [];
      throw error;
    }
  };

  const put = async (item: string, token: string, objects: readonly KubeObject[]) => {
    const state = `${token}.${objects.length}`;
    const before = held.get(item) ?? [];
    const isHeld = (object: KubeObject) =>
      before.find((one) => one.kind === object.kind && one.name === object.metadata.name);
    const written: Held[] = [];
    for (const object of objects) {
      const known = isHeld(object) !== undefined;
      const existing =
        known && object.kind !== 'Certificate'
          ? undefined
          : await client.get(object.kind as Kind, namespace, object.metadata.name);
      if (existing !== undefined) refuseForeign(existing, item);
      const { metadata } = await client.apply(marked(merged(object, existing), namespace, item, state), namespace);
      written.push({ kind: object.kind as Kind, name: metadata.name, uid: metadata.uid, state });
    }
    const isWritten = ({ kind, name }: Held) => written.some((one) => one.kind === kind && one.name === name);
    for (const old of before.filter((one) => !isWritten(one)))
      await client.remove(old.kind, namespace, old.name, old.uid);
    remember(item, written);
  };
  const remove = async (item: string) => {
    for (const { kind, name, uid } of (held.get(item) ?? []).toReversed())
      await client.remove(kind, namespace, name, uid);
    remember(item, []);
  };

  const holds = (item: string): string | undefined => {
    const objects = held.get(item);
    if (objects === undefined) return undefined;
    const state = objects[0]!.state ?? '';
    const [token = '', count] = state.split('.');
    return objects.every((one) => one.state === state) && Number(count) === objects.length ? token : '-';
  };

  return {
    name: settings.name ?? 'kubernetes',
    groupsOnly: settings.certificates === 'delegated',
    holds,
    async restart(item) {
      const objects = held.get(item) ?? [];
      for (const { name, uid } of objects.filter(({ kind }) => kind === 'Certificate'))
        await client.remove('Certificate', namespace, name, uid);
      remember(
        item,
        objects.filter(({ kind }) => kind !== 'Certificate'),
      );
    },
    async inventory() {
      const found = new Map<string, Held[]>();
      for (const kind of Object.keys(KINDS) as Kind[]) {
        if (kind === 'CertificateRequest' || kind === 'Order' || kind === 'Challenge') continue;
        for (const { metadata } of await listKind(kind)) {
          const { name, uid, labels = {}, annotations = {} } = metadata;
          const item = labels[ITEM_LABEL] ?? name;
          const list = found.get(item) ?? [];
          list.push({ kind, name, uid, state: annotations[STATE_ANNOTATION] });
          found.set(item, list);
        }
      }
      held.clear();
      ownerOfName.clear();
      for (const [item, objects] of found) remember(item, objects);
      await put(BASE_ITEM, 'base', renderBaseObjects(settings));
      return [...held.keys()].filter((item) => item !== BASE_ITEM);
    },
    async deliver({ groups, certificates, gone }) {
      const refused = new Map<string, Fault>();
      const attempt = async (item: string, work: () => Promise<void>) => {
        try {
          await work();
        } catch (error) {
          const fault = faultOf(error);
          if (fault.code === 'cluster_unreachable' || fault.code === 'internal') throw fault;
          // A route that now demands something (a client certificate) must not go on without it.
          if (fault.code === 'unsupported_by_cluster') await remove(item);
          refused.set(item, fault);
        }
      };
      await several(certificates, (certificate) =>
        attempt(certificate.id, () => put(certificate.id, certificate.version, [renderCertificateSecret(certificate)])),
      );
      // Names are settled one after another, so that two groups of one delivery do not take the same one.
      const named = groups.map((group) => {
        const names = groupNames(group, (name) => (ownerOfName.get(name) ?? group.id) !== group.id);
        for (const name of Object.values(names)) ownerOfName.set(name, group.id);
        return { group, names };
      });
      await several(named, ({ group, names }) =>
        attempt(group.id, async () => put(group.id, groupDigest(group), renderGroupObjects(group, names, settings))),
      );
      await several(gone, (item) => attempt(item, () => remove(item)));
      return refused;
    },
  };
}

/** At most a few at a time, so that an API server's limits on one client are kept. */
async function several<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items];
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
    }),
  );
}

function refuseForeign({ kind, metadata }: KubeObject, item: string): void {
  const { name, labels = {} } = metadata;
  const ours = labels['app.kubernetes.io/managed-by'] === MANAGED_BY['app.kubernetes.io/managed-by'];
  if (ours && labels[ITEM_LABEL] === item) return;
  throw new Fault({
    code: 'cluster_object_not_ours',
    detail: `there is a ${kind} ${name} already, which ${ours ? 'belongs to another route' : 'somebody else made'}`,
    party: 'operator',
    retry: 'backoff',
    advice: `see kubectl get ${kind.toLowerCase()} ${name} -o yaml, and remove or rename it`,
  });
}

function marked(object: KubeObject, namespace: string, item: string, state: string): KubeObject {
  return {
    ...object,
    metadata: {
      ...object.metadata,
      namespace,
      labels: { ...object.metadata.labels, ...MANAGED_BY, [ITEM_LABEL]: item },
      annotations: { ...object.metadata.annotations, [STATE_ANNOTATION]: state },
    },
  };
}

/** Names that a person added to a Certificate stay in it: the list has one owner at a time, so it is given whole. */
function merged(object: KubeObject, existing: KubeObject | undefined): KubeObject {
  if (object.kind !== 'Certificate' || existing === undefined) return object;
  const own = (object.spec as { dnsNames: readonly string[] }).dnsNames;
  const there = (existing.spec as { dnsNames?: readonly string[] } | undefined)?.dnsNames ?? [];
  const dnsNames = [...own, ...there.filter((name) => !own.includes(name))];
  return { ...object, spec: { ...(object.spec as object), dnsNames } };
}

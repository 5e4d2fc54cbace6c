import { type ClusterCertificate, parseCertificateStatus } from './certificate-status.ts';
import { ITEM_LABEL, type Kind, type KubeObject } from './objects.ts';

/** Certificates and what comes of them: each request, order and challenge is owned by the one before it in this list. */
export const ISSUANCE_KINDS = ['Certificate', 'CertificateRequest', 'Order', 'Challenge'] as const satisfies Kind[];
export type IssuanceKind = (typeof ISSUANCE_KINDS)[number];

/** What is known of a cluster's certificates, kept up by the events of four watches in any order. */
export interface CertificateTree {
  /** Answers the names of the certificates of which something new may be known now. */
  put(kind: IssuanceKind, object: KubeObject): readonly string[];
  drop(kind: IssuanceKind, name: string): readonly string[];
  /** Everything of a kind, as a list has it. */
  reset(kind: IssuanceKind, objects: readonly KubeObject[]): readonly string[];
  /** Undefined when there is no such certificate. */
  statusOf(certificate: string): { readonly item: string; readonly status: ClusterCertificate } | undefined;
}

export function createCertificateTree(): CertificateTree {
  const objects = new Map(ISSUANCE_KINDS.map((kind) => [kind, new Map<string, KubeObject>()]));
  const of = (kind: IssuanceKind) => objects.get(kind)!;
  /** `Order/name` of an owner -> names of what it owns. */
  const owned = new Map<string, Set<string>>();

  const ownerOf = (kind: IssuanceKind, { metadata }: KubeObject): string | undefined => {
    const above = ISSUANCE_KINDS[ISSUANCE_KINDS.indexOf(kind) - 1];
    return metadata.ownerReferences?.find((owner) => owner.kind === above)?.name;
  };
  const rootOf = (kind: IssuanceKind, object: KubeObject): string | undefined => {
    if (kind === 'Certificate') return object.metadata.name;
    const above = ISSUANCE_KINDS[ISSUANCE_KINDS.indexOf(kind) - 1]!;
    const owner = of(above).get(ownerOf(kind, object) ?? '');
    return owner === undefined ? undefined : rootOf(above, owner);
  };
  const affected = (kind: IssuanceKind, object: KubeObject): string[] => {
    const root = rootOf(kind, object);
    return root === undefined ? [] : [root];
  };
  const linkTo = (kind: IssuanceKind, object: KubeObject): string =>
    `${ISSUANCE_KINDS[ISSUANCE_KINDS.indexOf(kind) - 1]}/${ownerOf(kind, object)}`;
  const forget = (kind: IssuanceKind, name: string): string[] => {
    const object = of(kind).get(name);
    if (object === undefined) return [];
    const roots = affected(kind, object);
    of(kind).delete(name);
    const siblings = owned.get(linkTo(kind, object));
    siblings?.delete(name);
    if (siblings?.size === 0) owned.delete(linkTo(kind, object));
    return roots;
  };
  const put = (kind: IssuanceKind, object: KubeObject): string[] => {
    const { name } = object.metadata;
    of(kind).set(name, object);
    if (kind !== 'Certificate') {
      const link = linkTo(kind, object);
      owned.set(link, (owned.get(link) ?? new Set()).add(name));
    }
    return affected(kind, object);
  };
  const below = (kind: IssuanceKind, parent: KubeObject): KubeObject[] => {
    const next = ISSUANCE_KINDS[ISSUANCE_KINDS.indexOf(kind) + 1];
    if (next === undefined) return [];
    const names = [...(owned.get(`${kind}/${parent.metadata.name}`) ?? [])];
    const children = names.flatMap((name) => of(next).get(name) ?? []).filter((child) => isOf(child, kind, parent));
    // Requests of earlier times stay for a while, and say nothing of the present.
    const current = next === 'CertificateRequest' ? children.toSorted(byAge).slice(-1) : children;
    return current.flatMap((child) => [child, ...below(next, child)]);
  };

  return {
    put,
    drop: forget,
    reset(kind, all) {
      const wanted = new Set(all.map(({ metadata }) => metadata.name));
      const gone = [...of(kind).keys()].filter((name) => !wanted.has(name));
      return [...gone.flatMap((name) => forget(kind, name)), ...all.flatMap((object) => put(kind, object))];
    },
    statusOf(name) {
      const certificate = of('Certificate').get(name);
      const item = certificate?.metadata.labels?.[ITEM_LABEL];
      if (certificate === undefined || item === undefined) return undefined;
      return { item, status: parseCertificateStatus(certificate, below('Certificate', certificate)) };
    },
  };
}

/** What an earlier object of the same name left is collected by the cluster later, and is not this one's. */
const isOf = ({ metadata }: KubeObject, kind: IssuanceKind, parent: KubeObject): boolean => {
  const uid = metadata.ownerReferences?.find((owner) => owner.kind === kind)?.uid;
  return uid === undefined || parent.metadata.uid === undefined || uid === parent.metadata.uid;
};

const byAge = (a: KubeObject, b: KubeObject): number =>
  (a.metadata.creationTimestamp ?? '').localeCompare(b.metadata.creationTimestamp ?? '');

/** A Kubernetes object, as far as every kind has the same shape. */
export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: KubeMetadata;
  readonly [section: string]: unknown;
}

export interface KubeMetadata {
  readonly name: string;
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly creationTimestamp?: string;
  readonly ownerReferences?: readonly { readonly kind: string; readonly name: string; readonly uid?: string }[];
}

/** The kinds that we write or read, and where the API server has them. */
export const KINDS = {
  Secret: { apiVersion: 'v1', plural: 'secrets' },
  Service: { apiVersion: 'v1', plural: 'services' },
  ConfigMap: { apiVersion: 'v1', plural: 'configmaps' },
  EndpointSlice: { apiVersion: 'discovery.k8s.io/v1', plural: 'endpointslices' },
  Ingress: { apiVersion: 'networking.k8s.io/v1', plural: 'ingresses' },
  IngressRoute: { apiVersion: 'traefik.io/v1alpha1', plural: 'ingressroutes' },
  IngressRouteTCP: { apiVersion: 'traefik.io/v1alpha1', plural: 'ingressroutetcps' },
  Middleware: { apiVersion: 'traefik.io/v1alpha1', plural: 'middlewares' },
  ServersTransport: { apiVersion: 'traefik.io/v1alpha1', plural: 'serverstransports' },
  TLSOption: { apiVersion: 'traefik.io/v1alpha1', plural: 'tlsoptions' },
  Gateway: { apiVersion: 'gateway.networking.k8s.io/v1', plural: 'gateways' },
  HTTPRoute: { apiVersion: 'gateway.networking.k8s.io/v1', plural: 'httproutes' },
  Certificate: { apiVersion: 'cert-manager.io/v1', plural: 'certificates' },
  CertificateRequest: { apiVersion: 'cert-manager.io/v1', plural: 'certificaterequests' },
  Order: { apiVersion: 'acme.cert-manager.io/v1', plural: 'orders' },
  Challenge: { apiVersion: 'acme.cert-manager.io/v1', plural: 'challenges' },
} as const satisfies Record<string, { apiVersion: string; plural: string }>;
export type Kind = keyof typeof KINDS;

/** `/apis/traefik.io/v1alpha1/namespaces/apps/ingressroutes[/name]`. */
export function resourcePath(kind: Kind, namespace: string, name?: string): string {
  const { apiVersion, plural } = KINDS[kind];
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const collection = `${root}/namespaces/${encodeURIComponent(namespace)}/${plural}`;
  return name === undefined ? collection : `${collection}/${encodeURIComponent(name)}`;
}

/** What an object of ours says of itself: who manages it, what it was derived from, and in which state. */
export const MANAGED_BY = { 'app.kubernetes.io/managed-by': 'gatehouse' } as const;
export const ITEM_LABEL = 'gatehouse.internal/item';
export const STATE_ANNOTATION = 'gatehouse.internal/state';

/** The word by which the API server records which fields are ours (server-side apply). */
export const FIELD_MANAGER = 'paas-control-plane';

// publish owns where routes and certificates go: one derivation from the store, and one publisher for each place, each
// of which follows the change log by itself. It refuses to know how a certificate is got, who claimed a name, and what
// the places do with what they are given.
export type { DeliveryState } from './delivery-state.ts';
export { createDomainSource } from './domain-source.ts';
export { createEdgePublisher, type EdgePublisherDeps } from './edge.ts';
export type { FindingKind } from './findings.ts';
export { createIngressRoutes, type IngressRoute, type IngressRoutes } from './ingress-routes.ts';
export type { ClusterCertificate } from './kubernetes/certificate-status.ts';
export { createKubeClient, type KubeClient } from './kubernetes/client.ts';
export {
  createKubernetesPublisher,
  type KubernetesPublisher,
  type KubernetesPublisherDeps,
} from './kubernetes/index.ts';
export { type ClusterAccess, inClusterAccess, kubeconfigAccess } from './kubernetes/kubeconfig.ts';
export type { KubernetesSettings } from './kubernetes/settings.ts';
export { createServingWatch, type ServingProbe, type ServingWatch } from './probe.ts';
export type { Publisher, PublisherState } from './publisher.ts';
export type { RouteGroup, RouteOrigin, RouteSource } from './route-group.ts';
export { createServedCertificates, type ServedCertificates } from './served-certificates.ts';
export { createServingFindings, type ServingFinding, type ServingFindings } from './serving-findings.ts';
export { createTlsProbe } from './tls-probe.ts';
export type { TraefikSettings } from './traefik/dynamic.ts';
export type { TraefikFileSettings } from './traefik/file-target.ts';
export type { TraefikDocument } from './traefik/http-target.ts';
export { createTraefikFilePublisher, createTraefikHttpPublisher, type TraefikPublisherDeps } from './traefik/index.ts';

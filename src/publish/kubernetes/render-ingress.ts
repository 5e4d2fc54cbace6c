import type { Route } from '../../picture/index.ts';
import type { KubeObject } from './objects.ts';
import type { GroupNames } from './render.ts';
import { serviceOf } from './services.ts';
import type { KubernetesSettings } from './settings.ts';

/** A group as a plain Ingress: hosts, paths and a Secret, which is all that one can say. */
export function renderIngress(
  routes: readonly Route[],
  names: GroupNames,
  secretName: string | undefined,
  { namespace, ingressClass = 'traefik' }: KubernetesSettings,
): KubeObject[] {
  const host = routes[0]!.host;
  const objects: KubeObject[] = [];
  const paths = routes.map((route, i) => {
    const own = `${names.service}${i === 0 ? '' : `-${i}`}`;
    const { reference, objects: made } = serviceOf(route.upstreams[0]!, own, namespace);
    objects.push(...made);
    const { name, port } = reference;
    return { path: route.path, pathType: 'Prefix', backend: { service: { name, port: { number: port } } } };
  });
  objects.push({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: { name: names.route },
    spec: {
      ingressClassName: ingressClass,
      rules: [{ host, http: { paths } }],
      ...(secretName !== undefined && { tls: [{ hosts: [host], secretName }] }),
    },
  });
  return objects;
}

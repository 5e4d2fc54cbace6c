import { isIP } from 'node:net';
import type { Upstream } from '../../picture/index.ts';
import type { KubeObject } from './objects.ts';

/** A Service as routes name it. */
export interface ServiceReference {
  readonly name: string;
  readonly namespace?: string;
  readonly port: number;
  readonly scheme: 'http' | 'https' | 'h2c';
  readonly weight?: number;
}

/** How an upstream's URL is reached in a cluster: by a Service that is there, or one that we make for it. */
export function serviceOf(
  { url, weight }: Upstream,
  ownName: string,
  namespace: string,
): { reference: ServiceReference; objects: KubeObject[] } {
  const scheme = url.startsWith('h2c:') ? 'h2c' : url.startsWith('https:') ? 'https' : 'http';
  const { hostname, port: given } = new URL(url.replace(/^h2c:/, 'http:'));
  const port = given === '' ? (scheme === 'https' ? 443 : 80) : Number(given);
  const common = { port, scheme, ...(weight !== undefined && { weight }) } as const;
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  const [, name, otherNamespace] = /^([a-z0-9-]+)(?:\.([a-z0-9-]+)\.svc(?:\.cluster\.local)?)?$/.exec(host) ?? [];
  if (name !== undefined && name !== 'localhost')
    return {
      reference: {
        ...common,
        name,
        ...(otherNamespace !== undefined && otherNamespace !== namespace && { namespace: otherNamespace }),
      },
      objects: [],
    };
  const spec = { ports: [{ name: 'upstream', port, targetPort: port }] };
  const service = (more: object): KubeObject => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: ownName },
    spec: { ...spec, ...more },
  });
  const reference = { ...common, name: ownName };
  const family = isIP(host);
  if (family === 0) return { reference, objects: [service({ type: 'ExternalName', externalName: host })] };
  return {
    reference,
    objects: [
      // No selector: the addresses are ours to give, in a slice that names the Service.
      service({ clusterIP: 'None' }),
      {
        apiVersion: 'discovery.k8s.io/v1',
        kind: 'EndpointSlice',
        metadata: { name: ownName, labels: { 'kubernetes.io/service-name': ownName } },
        addressType: family === 4 ? 'IPv4' : 'IPv6',
        // Absent stands for ready, by the API's words; Traefik's Gateway provider takes it for not ready.
        endpoints: [{ addresses: [host], conditions: { ready: true, serving: true } }],
        ports: [{ name: 'upstream', port }],
      },
    ],
  };
}

import { readFileSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { parse } from 'yaml';
import { Fault } from '../../base/index.ts';

/** How to reach an API server. */
export interface ClusterAccess {
  /** `https://host:port`, without a path. */
  readonly server: string;
  /** PEM; the system's roots when absent. */
  readonly ca?: string;
  readonly insecure?: boolean;
  readonly clientCertificate?: { readonly cert: string; readonly key: string };
  /** Asked before each request, since tokens of service accounts are replaced in their file. */
  readonly token?: () => string;
  /** Of the context, or of the pod. */
  readonly namespace?: string;
}

const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

/** The access of a pod, by its service account; undefined outside a cluster. */
export function inClusterAccess(
  env: Readonly<Record<string, string | undefined>>,
  directory = SERVICE_ACCOUNT,
): ClusterAccess | undefined {
  const host = env.KUBERNETES_SERVICE_HOST;
  const port = env.KUBERNETES_SERVICE_PORT;
  if (host === undefined || port === undefined) return undefined;
  const read = (name: string) => readFileSync(join(directory, name), 'utf8').trim();
  return {
    server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
    ca: read('ca.crt'),
    token: () => read('token'),
    namespace: read('namespace'),
  };
}

interface KubeConfig {
  readonly 'current-context'?: string;
  readonly contexts?: readonly { name: string; context: { cluster: string; user: string; namespace?: string } }[];
  readonly clusters?: readonly {
    name: string;
    cluster: {
      server: string;
      'certificate-authority'?: string;
      'certificate-authority-data'?: string;
      'insecure-skip-tls-verify'?: boolean;
    };
  }[];
  readonly users?: readonly {
    name: string;
    user: {
      token?: string;
      tokenFile?: string;
      'client-certificate'?: string;
      'client-certificate-data'?: string;
      'client-key'?: string;
      'client-key-data'?: string;
    };
  }[];
}

/** The access that a kubeconfig file's context describes. Credential plugins are not run. */
export function kubeconfigAccess(file: string, contextName?: string): ClusterAccess {
  const config = (parse(readFileSync(file, 'utf8')) ?? {}) as KubeConfig;
  const refuse = (detail: string, field: string) =>
    new Fault({ code: 'invalid_kubeconfig', detail: `${file}: ${detail}`, party: 'operator', retry: 'never', field });
  const wanted = contextName ?? config['current-context'];
  const context = config.contexts?.find(({ name }) => name === wanted)?.context;
  if (context === undefined) throw refuse(`there is no context ${wanted ?? '(none is current)'}`, 'current-context');
  const cluster = config.clusters?.find(({ name }) => name === context.cluster)?.cluster;
  if (cluster === undefined) throw refuse(`there is no cluster ${context.cluster}`, 'clusters');
  const user = config.users?.find(({ name }) => name === context.user)?.user ?? {};
  const fileBeside = (path: string) => (isAbsolute(path) ? path : join(dirname(file), path));
  const content = (data: string | undefined, path: string | undefined) =>
    data !== undefined
      ? Buffer.from(data, 'base64').toString()
      : path === undefined
        ? undefined
        : readFileSync(fileBeside(path), 'utf8');
  const ca = content(cluster['certificate-authority-data'], cluster['certificate-authority']);
  const cert = content(user['client-certificate-data'], user['client-certificate']);
  const key = content(user['client-key-data'], user['client-key']);
  const { token, tokenFile } = user;
  return {
    server: cluster.server.replace(/\/+$/, ''),
    ...(ca !== undefined && { ca }),
    ...(cluster['insecure-skip-tls-verify'] === true && { insecure: true }),
    ...(cert !== undefined && key !== undefined && { clientCertificate: { cert, key } }),
    ...(tokenFile !== undefined
      ? { token: () => readFileSync(fileBeside(tokenFile), 'utf8').trim() }
      : token !== undefined && { token: () => token }),
    ...(context.namespace !== undefined && { namespace: context.namespace }),
  };
}

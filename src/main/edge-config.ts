import { readFileSync } from 'node:fs';
import { type Static, Type } from 'typebox';
import { Fault } from '../base/index.ts';
import { type EdgeOptions, type ListenerPlan, ProxyConfig, planLimits, planTls, tlsCommon } from '../edge/index.ts';

const closed = { additionalProperties: false };
const Port = (fallback: number, description: string) =>
  Type.Integer({ minimum: 0, maximum: 65535, default: fallback, description: `${description}; 0 takes any free port` });
const { access_log, limits, protocol_engine, request_id_header, trusted_proxies } = ProxyConfig.properties;
const { proxy_protocol_from } = ProxyConfig.properties.listeners.items.properties;
const { client_certificates: _, ...tlsKeys } = tlsCommon;

/** The edge inside `gatehouse up`: what it has in common with the proxy alone is written in the same words. */
export const EdgeConfig = Type.Object(
  {
    address: Type.String({ default: '127.0.0.1', description: 'where the edge listens' }),
    https_port: Port(8443, 'HTTPS'),
    http_port: Port(8080, 'HTTP: challenges and redirect'),
    public_https_port: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 65535,
        description: 'port by which clients reach https_port, where something forwards to it; redirects name it',
      }),
    ),
    workers: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 512, description: 'worker processes (default: one a core)' }),
    ),
    client_certificates: Type.Optional(
      Type.Enum(['optional', 'required'], {
        description: 'ask clients for certificates, and tell upstreams the verified identity',
      }),
    ),
    client_ca_file: Type.Optional(
      Type.String({ description: 'PEM of the authorities that they are verified with (default: our own CA)' }),
    ),
    tls: Type.Object(
      {
        mode: Type.Enum(['managed'], { default: 'managed', description: 'certificates come from the engine' }),
        ...tlsKeys,
      },
      { ...closed, default: {} },
    ),
    proxy_protocol_from,
    trusted_proxies,
    request_id_header,
    protocol_engine,
    access_log,
    limits,
  },
  { ...closed, default: {} },
);
export type EdgeConfig = Static<typeof EdgeConfig>;

/** `clientCa` is PEM: our own CA's, which is not there before the control half has made it. */
export function planEdge(
  config: EdgeConfig,
  { awaitCertificateMs, clientCa }: { awaitCertificateMs: number; clientCa: string | undefined },
): Required<Pick<EdgeOptions, 'listeners' | 'plane' | 'accessLog'>> {
  const mode = config.client_certificates;
  const listener: ListenerPlan = {
    id: 'main',
    address: config.address,
    httpsPort: config.https_port,
    httpPort: config.http_port,
    proxyProtocolFrom: config.proxy_protocol_from,
    ...(config.public_https_port !== undefined && { plain: { httpsPort: config.public_https_port } }),
    tls: {
      ...planTls(config.tls, 'edge.tls'),
      awaitCertificateMs,
      ...(mode !== undefined && clientCa !== undefined && { clientCertificates: { mode, ca: clientCa } }),
    },
  };
  return {
    listeners: [listener],
    plane: {
      limits: planLimits(config.limits),
      trustedProxies: config.trusted_proxies,
      requestIdHeader: config.request_id_header,
      protocolEngine: config.protocol_engine,
    },
    accessLog: config.access_log,
  };
}

/** The authorities for clients' certificates, where the configuration names a file. */
export function readClientCa({ client_ca_file }: EdgeConfig): string | undefined {
  if (client_ca_file === undefined) return undefined;
  try {
    return readFileSync(client_ca_file, 'utf8');
  } catch (error) {
    const detail = `edge.client_ca_file: ${client_ca_file} cannot be read: ${(error as Error).message}`;
    throw new Fault({ code: 'invalid_config', detail, party: 'operator', retry: 'never' }, error);
  }
}

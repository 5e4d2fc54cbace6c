/** One table of what `expose_service_publicly` takes: every surface describes it from here. */
export const EXPOSE_FIELDS = {
  service_hostname: 'public host name, e.g. metrics.example.com; the name on the certificate',
  service_protocol: 'http or https',
  sdwan_network_id: 'network that the virtual IP and the port mapping live in (id or name)',
  sdwan_hub_peer_id: 'publicly reachable hub peer that terminates the public port (id or name)',
  vip_cidr: 'host CIDR that you choose: a /128 within the network’s /64, or a /32; there is no allocator',
  backend_port: 'port that the backend listens on',
  target_peer_id: 'peer to front; exactly one of target_peer_id and target_instance_id',
  target_instance_id: 'instance to front; resolved to its peer in the network',
  tls_issuer: 'issuer of the certificate; letsencrypt-prod when absent; use letsencrypt-staging for first runs',
  challenge_type: 'dns-01 when absent; or http-01, tls-alpn-01, dns-account-01, dns-persist-01 where the CA offers it',
  dns_credential_id:
    'stored DNS credential; required for https with a DNS challenge, unless the service ends TLS itself',
  termination: 'who ends TLS: proxy (when absent), or backend, which has its own certificate',
  listen_port: 'public port; 443 for https and 80 for http when absent',
} as const;
export type ExposeField = keyof typeof EXPOSE_FIELDS;

export const UNEXPOSE_FIELDS = {
  service_hostname: 'host name that was exposed',
  service_protocol: 'http or https; both when absent',
} as const;

/** Those that every call needs. */
export const REQUIRED_FIELDS: ReadonlySet<string> = new Set([
  'service_hostname',
  'service_protocol',
  'sdwan_network_id',
  'sdwan_hub_peer_id',
  'vip_cidr',
  'backend_port',
]);

export interface KubernetesSettings {
  /** Where every object is written. */
  readonly namespace: string;
  /** `delegated`: cert-manager gets the certificates. `native`: ours are written as Secrets. */
  readonly certificates: 'delegated' | 'native';
  /** Which kinds carry the routes: Traefik's own, Gateway API, or Ingress. */
  readonly routes: 'traefik' | 'gateway' | 'ingress';
  /** cert-manager's issuer of exact names; ClusterIssuer `letsencrypt-prod` when absent. */
  readonly issuer?: IssuerReference;
  /** Of wildcards, which only dns-01 proves; that of exact names when absent. */
  readonly wildcardIssuer?: IssuerReference;
  /** Traefik's entry points; `websecure` and `web` when absent. */
  readonly entryPoints?: { readonly https?: string; readonly http?: string };
  /** Class of Ingress objects; `traefik` when absent. */
  readonly ingressClass?: string;
  /** Gateway API: one Gateway of this class for each host, or one that is there already. */
  readonly gateway?: { readonly className: string } | { readonly name: string; readonly namespace?: string };
  /**
   * Ports of the listeners of the Gateways that are made; 443 and 80 when absent. Traefik takes a listener only at the
   * port of one of its entry points.
   */
  readonly gatewayPorts?: { readonly https?: number; readonly http?: number };
  /** Service at which Gatehouse answers http-01 challenges, for `native`. */
  readonly challengeService?: { readonly name: string; readonly port: number };
  /** Secret with the CA of client certificates, for routes that require one. */
  readonly clientCaSecret?: string;
  /** Whether everything on the plain entry point that is no challenge is sent to https. */
  readonly redirectPlain?: boolean;
  readonly name?: string;
}

export interface IssuerReference {
  readonly name: string;
  readonly kind: 'ClusterIssuer' | 'Issuer';
}

export const DEFAULT_ISSUER: IssuerReference = { name: 'letsencrypt-prod', kind: 'ClusterIssuer' };

import { Type } from 'typebox';

const closed = { additionalProperties: false };
const text = (description: string) => Type.Optional(Type.String({ minLength: 1, description }));
const port = (description: string) => Type.Optional(Type.Integer({ minimum: 1, maximum: 65_535, description }));
const flag = (description: string) => Type.Optional(Type.Boolean({ description }));

const traefik = {
  https_entry_point: text('entry point of Traefik for HTTPS (default: websecure)'),
  http_entry_point: text('entry point of Traefik for HTTP (default: web)'),
  redirect_plain: flag('send everything on the plain entry point that is no challenge to https'),
  challenge_responder: text(
    'URL at which Traefik reaches the plain port of the edge, which answers http-01 challenges',
  ),
  client_ca: text('PEM file, as Traefik sees it, of who may sign client certificates'),
  probe: text('host:port of Traefik for HTTPS, where it is looked at whether what was delivered is shown'),
};

/** `publish`: where routes and certificates go besides our own edge. */
export const PublishConfig = Type.Object(
  {
    traefik_files: Type.Optional(
      Type.Object(
        {
          directory: Type.String({ minLength: 1, description: 'directory that Traefik’s file provider watches' }),
          seen_as: text('the same directory as Traefik sees it, where it runs in a container of its own'),
          ...traefik,
        },
        { ...closed, description: 'dynamic configuration for Traefik’s file provider' },
      ),
    ),
    traefik_http: Type.Optional(
      Type.Object(traefik, { ...closed, description: 'the document for Traefik’s HTTP provider, at /publish/traefik' }),
    ),
    kubernetes: Type.Optional(
      Type.Object(
        {
          kubeconfig: text('file; in a pod the service account is used when absent'),
          context: text('context of the kubeconfig (default: its current one)'),
          namespace: Type.String({ minLength: 1, default: 'paas-apps', description: 'where objects are written' }),
          certificates: Type.Enum(['delegated', 'native'], {
            default: 'delegated',
            description: 'delegated: cert-manager gets the certificates; native: ours are written as Secrets',
          }),
          routes: Type.Enum(['traefik', 'gateway', 'ingress'], {
            default: 'traefik',
            description: 'kinds that carry the routes',
          }),
          issuer: text('ClusterIssuer of exact names (default: letsencrypt-prod)'),
          wildcard_issuer: text('ClusterIssuer of wildcards (default: that of exact names)'),
          ingress_class: text('class of Ingress objects (default: traefik)'),
          gateway_class: text('class of the Gateways that are made (default: traefik)'),
          gateway_https_port: port(
            'port of the HTTPS listeners of those Gateways, which must be one of the controller’s',
          ),
          gateway_http_port: port('port of their plain listeners'),
          gateway: text('a Gateway that is there already, instead of one for each host'),
          challenge_service: text('name:port of the Service at which the edge answers http-01 challenges'),
          client_ca_secret: text('Secret with the CA of client certificates'),
          redirect_plain: flag('send everything on the plain entry point that is no challenge to https'),
          probe: text('host:port of the ingress for HTTPS, where it is looked at whether what was delivered is shown'),
        },
        { ...closed, description: 'objects in a cluster' },
      ),
    ),
  },
  { ...closed, default: {} },
);

import { createHash, generateKeyPairSync } from 'node:crypto';
import ipaddr from 'ipaddr.js';
import { Fault } from '../base/index.ts';
import { type CertificateRow, insertCertificate } from '../store/ca.ts';
import { pemOf } from '../x509/index.ts';
import type { Authority } from './authority.ts';
import { DEFAULT_HIERARCHY, type HierarchyDeps, type HierarchySettings, openHierarchy } from './hierarchy.ts';
import { type DistributionUrls, issueLeaf, type LeafRequest } from './issue.ts';
import { createRevocation, type Revocation } from './revocation.ts';

export interface CertificateAuthority {
  /** The root that people trust, PEM. */
  rootPem(): string;
  /** Signs a leaf by the active intermediate; the caller writes the row in its own transaction. */
  issue(request: LeafRequest): Promise<CertificateRow>;
  /** Chains above a leaf of the authority, each without the root; the first is the one to prefer. DER. */
  chains(authorityId: string): readonly (readonly Buffer[])[];
  /** A certificate for a listener of our own, with a new P-256 key. */
  issueServerCertificate(names: readonly string[], options?: { lifetime?: number }): Promise<ServerCertificate>;
  authorities(): readonly Authority[];
  readonly revocation: Revocation;
}

export interface ServerCertificate {
  /** Leaf and intermediate, PEM. */
  readonly chainPem: string;
  /** PKCS #8, PEM. */
  readonly keyPem: string;
  /** Milliseconds since the epoch. */
  readonly notAfter: number;
}

export interface CertificateAuthorityOptions {
  readonly hierarchy?: Partial<HierarchySettings>;
  readonly urls?: DistributionUrls;
}

const DAY = 86_400_000;

/** Opens the embedded CA; on the first start makes its root and intermediate, keys in the secret store. */
export async function createCertificateAuthority(
  deps: HierarchyDeps,
  options: CertificateAuthorityOptions = {},
): Promise<CertificateAuthority> {
  const authorities = await openHierarchy(deps, { ...DEFAULT_HIERARCHY, ...options.hierarchy });
  const byId = new Map(authorities.map((authority) => [authority.id, authority]));
  const issuing = authorities.findLast(({ kind }) => kind === 'intermediate');
  const root = authorities.find(({ kind }) => kind === 'root');
  if (issuing === undefined || root === undefined)
    throw new Fault({
      code: 'ca_incomplete',
      detail: 'the CA has no root or no intermediate',
      party: 'us',
      retry: 'never',
    });
  const chain = (authorityId: string): Buffer[] => {
    const authority = byId.get(authorityId);
    return authority === undefined || authority.kind === 'root'
      ? []
      : [authority.certificate.der, ...chain(authority.parentId ?? '')];
  };
  const issue = (request: LeafRequest) => issueLeaf(issuing, request, deps.clock.now(), options.urls);
  return {
    rootPem: () => pemOf('CERTIFICATE', root.certificate.der),
    issue,
    chains: (authorityId) => [chain(authorityId)],
    authorities: () => authorities,
    revocation: createRevocation(deps, authorities, options.urls),
    async issueServerCertificate(names, { lifetime = 90 * DAY } = {}) {
      const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const spki = publicKey.export({ format: 'der', type: 'spki' });
      const row = await issue({
        spki,
        spkiHash: createHash('sha256').update(spki).digest('hex'),
        keyIsRsa: false,
        dns: names.filter((name) => !ipaddr.isValid(name)),
        ip: names.filter((name) => ipaddr.isValid(name)).map((name) => ipaddr.parse(name).toString()),
        notAfter: deps.clock.now() + lifetime,
        extendedKeyUsage: ['serverAuth'],
      });
      await deps.store.write((tx) => insertCertificate(tx, row));
      return {
        chainPem: [Buffer.from(row.certificate), ...chain(row.authority_id)]
          .map((der) => pemOf('CERTIFICATE', der))
          .join(''),
        keyPem: privateKey.export({ format: 'pem', type: 'pkcs8' }) as string,
        notAfter: row.not_after,
      };
    },
  };
}

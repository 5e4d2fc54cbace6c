import { createHash, generateKeyPairSync } from 'node:crypto';
import ipaddr from 'ipaddr.js';
import { type Logger, silentLogger } from '../base/index.ts';
import { type CertificateRow, insertCertificate } from '../store/ca.ts';
import { isWithin, pemOf } from '../x509/index.ts';
import type { Authority } from './authority.ts';
import { chainsOf, constraintsOf, rootsOf } from './chains.ts';
import {
  DEFAULT_HIERARCHY,
  type HierarchyDeps,
  type HierarchySettings,
  loadHierarchy,
  openHierarchy,
} from './hierarchy.ts';
import { type ImportedCa, importAuthority } from './import.ts';
import { type DistributionUrls, issueLeaf, type LeafRequest } from './issue.ts';
import { createCaMetrics, readCaGauges } from './metrics.ts';
import { createRevocation, type Revocation } from './revocation.ts';
import { issuingOf, rollOver } from './rollover.ts';
import { type CaFinding, createUpkeep } from './upkeep.ts';

export interface CertificateAuthority {
  /** The roots that people trust, PEM: that of the intermediate that signs first; with a second one while they change. */
  rootPem(): string;
  /** Signs a leaf by the active intermediate; the caller writes the row in its own transaction. */
  issue(request: LeafRequest): Promise<CertificateRow>;
  /** Chains above a leaf of the authority, each without the root; the one to the oldest root first. DER. */
  chains(authorityId: string): Promise<readonly (readonly Buffer[])[]>;
  /** Why the intermediate that signs may not sign for the name, in words; undefined when it may. */
  refuseName(name: string): string | undefined;
  /** When the certificate of what signs now ends, milliseconds since the epoch. */
  endsAt(): number;
  /** See `rollOver`. Answers the authority that signs from now on. */
  rollOver(options: { readonly root: boolean }, actor: string): Promise<Authority>;
  /** See `importAuthority`. */
  import(input: ImportedCa, actor: string): Promise<Authority>;
  /** Replaces what would end too soon. */
  keep(): Promise<void>;
  /** Keeps itself, until aborted. */
  run(signal: AbortSignal): Promise<void>;
  /** What of that could not be done, and needs a person. */
  findings(): readonly CaFinding[];
  /** A certificate for a listener of our own, with a new P-256 key. */
  issueServerCertificate(names: readonly string[], options?: { lifetime?: number }): Promise<ServerCertificate>;
  authorities(): readonly Authority[];
  readonly revocation: Revocation;
  /** Told of a certificate whose revocation has been written: its list is made, so that nobody waits for it. */
  revoked(certificate: CertificateRow): void;
  /** `CA_METRICS` as Prometheus text. */
  metrics(): Promise<string>;
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
  /** Milliseconds: the longest certificate that may be asked for now (default: 90 days). */
  readonly longestLeaf?: () => Promise<number>;
  readonly log?: Logger;
  /** Told the roots (PEM) when they are others than before. */
  readonly onRoots?: (pem: string) => void;
}

const DAY = 86_400_000;
const SEEN_MS = 30_000;
const LISTS_MS = 60_000;

/** Opens the embedded CA; on the first start makes its root and intermediate, keys in the secret store. */
export async function createCertificateAuthority(
  deps: HierarchyDeps,
  options: CertificateAuthorityOptions = {},
): Promise<CertificateAuthority> {
  const settings = { ...DEFAULT_HIERARCHY, ...options.hierarchy };
  let authorities: readonly Authority[] = await openHierarchy(deps, settings);
  let seenAt = deps.clock.now();
  const rootPem = () =>
    rootsOf(authorities)
      .map(({ certificate }) => pemOf('CERTIFICATE', certificate.der))
      .join('');
  const reload = async () => {
    const before = rootPem();
    authorities = await loadHierarchy(deps, settings);
    seenAt = deps.clock.now();
    if (rootPem() !== before) options.onRoots?.(rootPem());
    return issuingOf(authorities);
  };
  const upkeep = createUpkeep({
    ...deps,
    settings,
    longestLeaf: options.longestLeaf ?? (async () => 90 * DAY),
    log: options.log ?? silentLogger,
    reload: async () => {
      await reload();
      return authorities;
    },
  });
  // Another replica may have rolled over or imported.
  const current = async () => (deps.clock.now() - seenAt > SEEN_MS ? reload() : issuingOf(authorities));
  const metrics = createCaMetrics();
  const issue = async (request: LeafRequest) => {
    const row = await issueLeaf(await current(), request, deps.clock.now(), options.urls);
    metrics.count('gatehouse_ca_signatures_total', { what: 'certificate' });
    return row;
  };
  const chains: CertificateAuthority['chains'] = async (authorityId) => {
    if (!authorities.some(({ id }) => id === authorityId)) await reload();
    return chainsOf(authorities, authorityId);
  };
  const refuseName = (name: string): string | undefined => {
    const constraints = constraintsOf(issuingOf(authorities).certificate);
    return constraints === undefined || isWithin(name, constraints)
      ? undefined
      : 'the name constraints of this CA do not allow it';
  };
  const log = options.log ?? silentLogger;
  const revocation = createRevocation(deps, () => authorities, options.urls, metrics, settings.organization);
  const keepLists = async (signal: AbortSignal) => {
    while (!signal.aborted) {
      await revocation.lists.keep().catch((error: unknown) => {
        if (!signal.aborted)
          log.warn({ err: error }, 'a revocation list could not be made in advance; tried again in a minute');
      });
      await deps.clock.sleep(LISTS_MS, signal).catch(() => {});
    }
  };
  return {
    rootPem,
    endsAt: () => issuingOf(authorities).certificate.notAfter,
    keep: upkeep.look,
    run: async (signal) => void (await Promise.all([upkeep.run(signal), keepLists(signal)])),
    findings: upkeep.findings,
    issue,
    chains,
    refuseName,
    authorities: () => authorities,
    async rollOver(choice, actor) {
      await reload();
      await rollOver(deps, settings, authorities, choice, actor);
      return reload();
    },
    async import(input, actor) {
      await importAuthority(deps, settings, input, actor);
      return reload();
    },
    revocation,
    revoked(certificate) {
      revocation.lists.revoked(certificate).catch((error: unknown) => {
        log.warn({ err: error }, 'the list of a revoked certificate could not be made; tried again within a minute');
      });
    },
    metrics: async () => metrics.text(await readCaGauges(deps.store.db, authorities, deps.clock.now())),
    async issueServerCertificate(wanted, { lifetime = 90 * DAY } = {}) {
      // A listener has several names; under constraints it is certified by those that may be.
      const names = wanted.filter((name) => refuseName(name) === undefined);
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
        chainPem: [Buffer.from(row.certificate), ...((await chains(row.authority_id))[0] ?? [])]
          .map((der) => pemOf('CERTIFICATE', der))
          .join(''),
        keyPem: privateKey.export({ format: 'pem', type: 'pkcs8' }) as string,
        notAfter: row.not_after,
      };
    },
  };
}

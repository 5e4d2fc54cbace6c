import { basename, join, resolve } from 'node:path';
import { Fault, faultOf } from '../../base/index.ts';
import type { Route } from '../../picture/index.ts';
import { parseCertificateName } from '../../x509/index.ts';
import { planLimits } from '../config/limits-schema.ts';
import { planRoutes, type ReadText } from '../config/plan-routes.ts';
import type { AcmeTlsConfig, ListenerConfig, ProxyConfig, TlsConfig, TlsKeys } from '../config/schema.ts';
import type { CertificateFiles } from '../keeper/keep-files.ts';
import type { TlsListenerSettings } from '../listen/settings.ts';
import type { AccessLogSettings } from '../observe/access-log.ts';
import type { PlaneSettings } from '../plane/types.ts';
import type { ListenerPlan } from '../start-edge.ts';
import { defaultTlsPolicy } from '../tls/policy.ts';

/** A configuration file, looked through and turned into what the edge and its keepers are told. */
export interface ProxyPlan {
  readonly listeners: readonly PlannedListener[];
  readonly routes: readonly Route[];
  readonly plane: PlaneSettings;
  readonly accessLog: AccessLogSettings;
}

export interface PlannedListener {
  readonly plan: ListenerPlan;
  readonly certificates: PlannedCertificates;
}

export type PlannedCertificates =
  | { readonly mode: 'none' }
  | { readonly mode: 'manual'; readonly files: readonly CertificateFiles[] }
  | { readonly mode: 'acme'; readonly acme: PlannedAcme }
  | { readonly mode: 'managed'; readonly managed: PlannedManaged };

export interface PlannedManaged {
  readonly control: string;
  /** Absolute. */
  readonly tokenFile: string;
  /** PEM. */
  readonly ca?: string;
  readonly cacheDir: string;
}

export interface PlannedAcme extends Pick<AcmeTlsConfig, 'contact' | 'key_type' | 'profile' | 'challenge'> {
  /** In canonical form. */
  readonly names: readonly string[];
  readonly directory: string;
  /** PEM. */
  readonly ca?: string;
  readonly cacheDir: string;
  readonly eab?: { readonly kid: string; readonly hmac: string };
}

const MOST_NAMES = 100;

const DIRECTORIES: Record<string, string> = {
  production: 'https://acme-v02.api.letsencrypt.org/directory',
  staging: 'https://acme-staging-v02.api.letsencrypt.org/directory',
};

export interface Surroundings {
  /** Where relative paths of the file begin. */
  readonly baseDir: string;
  readonly stateDir: string;
  /** Of systemd (LoadCredential=), where `credential:NAME` is. */
  readonly credentialsDir: string | undefined;
  readonly readText: ReadText;
}

/** Throws a `Fault` that names the field. */
export function planProxy(config: ProxyConfig, surroundings: Surroundings): ProxyPlan {
  const { stateDir, readText } = surroundings;
  const path = (text: string, field: string) => pathOf(text, field, surroundings);
  const read: ReadText = (file, field) => readText(path(file, field), field);
  const ids = new Set<string>();
  const caches = new Set<string>();
  const listeners = config.listeners.map((listener, i): PlannedListener => {
    const field = `listeners[${i}]`;
    const id =
      listener.id ?? `${listener.address}-${listener.https_port ?? listener.http_port ?? 0}`.replaceAll(':', '.');
    if (ids.has(id)) refuse(field, `there is another listener "${id}"; give each an id of its own`);
    ids.add(id);
    checkPorts(listener, field);
    const certificates = planCertificates(listener.tls, { id, field, path, read, stateDir, config });
    const cacheDir = cacheDirOf(certificates);
    if (cacheDir !== undefined) {
      if (caches.has(cacheDir)) refuse(`${field}.tls.cache_dir`, `another listener uses ${cacheDir}`);
      caches.add(cacheDir);
    }
    return { plan: planListener(id, listener, field, read), certificates };
  });
  return {
    listeners,
    routes: planRoutes(config.sites, read),
    accessLog: {
      format: config.access_log.format,
      file: config.access_log.file === undefined ? undefined : path(config.access_log.file, 'access_log.file'),
    },
    plane: {
      limits: planLimits(config.limits),
      trustedProxies: config.trusted_proxies,
      requestIdHeader: config.request_id_header,
      protocolEngine: config.protocol_engine,
    },
  };
}

/** The directory that is for this listener alone. */
export function cacheDirOf(certificates: PlannedCertificates): string | undefined {
  if (certificates.mode === 'acme') return certificates.acme.cacheDir;
  return certificates.mode === 'managed' ? certificates.managed.cacheDir : undefined;
}

const CREDENTIAL = 'credential:';

function pathOf(text: string, field: string, { baseDir, credentialsDir }: Surroundings): string {
  if (!text.startsWith(CREDENTIAL)) return resolve(baseDir, text);
  if (credentialsDir === undefined) refuse(field, `${text}: systemd gave no credentials (LoadCredential=)`);
  return join(credentialsDir, basename(text.slice(CREDENTIAL.length)));
}

function refuse(field: string, reason: string): never {
  throw new Fault({ code: 'invalid_config', detail: `${field}: ${reason}`, party: 'operator', retry: 'never', field });
}

function checkPorts({ https_port, http_port, tls }: ListenerConfig, field: string): void {
  if (https_port === undefined && http_port === undefined) refuse(field, 'has neither https_port nor http_port');
  if (https_port !== undefined && tls === undefined) refuse(field, 'has an https_port and no tls');
  if (https_port === undefined && tls !== undefined) refuse(`${field}.tls`, 'there is no https_port for it');
}

function planListener(id: string, listener: ListenerConfig, field: string, read: ReadText): ListenerPlan {
  const { address, https_port, http_port, tls, proxy_protocol_from } = listener;
  return {
    id,
    address,
    httpsPort: https_port,
    httpPort: http_port,
    proxyProtocolFrom: proxy_protocol_from,
    tls: tls && {
      ...planTls(tls, `${field}.tls`),
      clientCertificates: planClients(tls.client_certificates, `${field}.tls.client_certificates`, read),
    },
  };
}

/** But for client certificates, whose authorities are in a file here and may be our own in `gatehouse up`. */
export function planTls(tls: Omit<TlsKeys, 'client_certificates'>, field: string): TlsListenerSettings {
  const [minVersion, maxVersion] = [`TLSv${tls.min_version}`, `TLSv${tls.max_version}`] as ('TLSv1.2' | 'TLSv1.3')[];
  if (minVersion! > maxVersion!) refuse(`${field}.min_version`, 'is newer than max_version');
  return {
    policy: {
      minVersion: minVersion!,
      maxVersion: maxVersion!,
      suites: tls.suites ?? defaultTlsPolicy.suites,
      groups: tls.groups ?? defaultTlsPolicy.groups,
    },
    http2: tls.http2,
    defaultServerName: tls.default_name,
    handshakeMs: Math.round(tls.handshake_timeout_seconds * 1000),
    handshakesPerSecond: tls.handshakes_per_second,
  };
}

function planClients(clients: TlsKeys['client_certificates'], field: string, read: ReadText) {
  return clients && { mode: clients.mode, ca: read(clients.ca_file, `${field}.ca_file`) };
}

interface CertificateContext {
  readonly id: string;
  readonly field: string;
  path(text: string, field: string): string;
  readonly read: ReadText;
  readonly stateDir: string;
  readonly config: ProxyConfig;
}

function planCertificates(tls: TlsConfig | undefined, context: CertificateContext): PlannedCertificates {
  const { id, field, path, read, stateDir, config } = context;
  if (tls === undefined) return { mode: 'none' };
  if (tls.mode === 'manual') {
    const files = tls.certificates.map(({ cert, key }, i) => ({
      cert: path(cert, `${field}.tls.certificates[${i}].cert`),
      key: path(key, `${field}.tls.certificates[${i}].key`),
      field: `${field}.tls.certificates[${i}]`,
    }));
    return { mode: 'manual', files };
  }
  const cacheDir = tls.cache_dir === undefined ? resolve(stateDir, id) : path(tls.cache_dir, `${field}.tls.cache_dir`);
  const ca = tls.ca_file === undefined ? undefined : read(tls.ca_file, `${field}.tls.ca_file`);
  if (tls.mode === 'managed') {
    const tokenFile = path(tls.token_file, `${field}.tls.token_file`);
    return { mode: 'managed', managed: { control: tls.control, tokenFile, ca, cacheDir } };
  }
  if (tls.challenge === 'http-01' && !config.listeners.some(({ http_port }) => http_port !== undefined))
    refuse(`${field}.tls.challenge`, 'http-01 needs an http_port of this or another listener');
  const names = planNames(tls, config, `${field}.tls`);
  const { eab, contact, key_type, profile, challenge } = tls;
  const acme: PlannedAcme = {
    names,
    directory: DIRECTORIES[tls.directory] ?? tls.directory,
    ca,
    cacheDir,
    eab: eab && { kid: eab.kid, hmac: read(eab.hmac_file, `${field}.tls.eab.hmac_file`).trim() },
    contact,
    key_type,
    profile,
    challenge,
  };
  return { mode: 'acme', acme };
}

/** The listener's own, or what the sites are: nobody likes to write them twice. */
function planNames(tls: AcmeTlsConfig, { sites }: ProxyConfig, field: string): string[] {
  if (tls.names !== undefined) return tls.names.map((text, n) => parseName(text, `${field}.names[${n}]`));
  const hosts = sites.filter(({ passthrough }) => passthrough !== true).flatMap((site) => site.hosts);
  const names = hosts.filter((host) => !host.startsWith('*.')).map((host) => parseName(host, field));
  const distinct = [...new Set(names)];
  if (distinct.length === 0) refuse(field, 'has no names, and no site has a host that a certificate could be for');
  if (distinct.length > MOST_NAMES)
    refuse(field, `the sites have ${distinct.length} hosts, more than one certificate takes; list names`);
  return distinct;
}

function parseName(text: string, field: string): string {
  let name: string;
  try {
    name = parseCertificateName(text);
  } catch (error) {
    const bare = /^[\w-]+$/.test(text)
      ? '; ACME servers issue for no name of one label: list names, or use mode manual'
      : '';
    return refuse(field, `"${text}": ${faultOf(error).message}${bare}`);
  }
  if (name.startsWith('*.'))
    refuse(field, `"${text}": a wildcard needs dns-01, which a listener cannot do; use gatehouse up for it`);
  return name;
}

import { faultOf } from '../../base/index.ts';
import { EXPOSE_FIELDS, type ExposeField, INTERNAL_ISSUER } from '../../ingress/index.ts';
import { parseDnsName } from '../../x509/index.ts';
import type { Known } from './known.ts';
import { withDigits } from './number-words.ts';
import { type Intent, readIntent } from './read-intent.ts';
import { backendPort, portIn, portOf, publicPort, translatedPorts } from './read-ports.ts';
import { mendSpelling } from './spelling.ts';

export type Fields = Partial<Record<ExposeField, string | number>>;

export interface Brief {
  readonly intent?: Intent;
  readonly fields: Fields;
}

// What people call the inputs, besides their own names: as in "Backend port: 8080".
const LABELS: Record<ExposeField, readonly string[]> = {
  service_hostname: ['public hostname', 'hostname', 'host name', 'host', 'domain', 'name'],
  service_protocol: ['protocol', 'scheme'],
  sdwan_network_id: ['sdwan network', 'overlay network', 'network'],
  sdwan_hub_peer_id: ['sdwan hub peer', 'hub peer', 'hub'],
  vip_cidr: ['vip cidr', 'virtual ip', 'vip', 'address'],
  backend_port: ['backend port', 'service port', 'target port', 'port'],
  target_peer_id: ['target peer', 'backend peer', 'peer'],
  target_instance_id: ['target instance', 'backend instance', 'instance'],
  tls_issuer: ['tls issuer', 'issuer', 'certificate issuer'],
  challenge_type: ['challenge type', 'challenge'],
  dns_credential_id: ['dns credential', 'credential'],
  termination: ['termination', 'tls termination'],
  listen_port: ['listen port', 'public port', 'external port'],
};

const MOST_CHARACTERS = 4000;

/** Reads a brief in plain language. Pure and deterministic; what it is not sure of it leaves out, and it is asked for. */
export function readBrief(text: string, known: Known): Brief {
  const brief = withDigits(text.slice(0, MOST_CHARACTERS).normalize('NFC'));
  const labelled = readLabelled(brief, known);
  const names = new Set(namesOf(known).map((name) => name.toLowerCase()));
  const prose = mendSpelling(withoutLabelled(brief), names);
  const fields: Fields = { ...readProse(prose, known), ...labelled };
  const intent =
    readIntent(mendSpelling(brief, names)) ?? (labelled.service_hostname === undefined ? undefined : 'expose');
  return { fields, ...(intent !== undefined && { intent }) };
}

const LINE = new RegExp(
  `^[ \\t>*-]*(${[
    ...Object.keys(EXPOSE_FIELDS),
    ...Object.values(LABELS)
      .flat()
      .map((label) => RegExp.escape(label))
      .sort((a, b) => b.length - a.length),
  ].join('|')})[ \\t]*[:=][ \\t]*(\\S.*)$`,
  'gim',
);

function readLabelled(text: string, known: Known): Fields {
  const fields: Fields = {};
  for (const [, label = '', value = ''] of text.matchAll(LINE)) {
    const field = fieldOf(label.toLowerCase());
    if (field === undefined) continue;
    const found = readAnswer(field, value.trim().replace(/[,;]$/, ''), known);
    if (found !== undefined) fields[field] = found;
  }
  return fields;
}

const withoutLabelled = (text: string): string => text.replaceAll(LINE, '');

const fieldOf = (label: string): ExposeField | undefined =>
  (Object.keys(EXPOSE_FIELDS) as ExposeField[]).find((field) => field === label || LABELS[field].includes(label));

/** A value that was given for a field by itself: after a label, or as the answer to a question. */
export function readAnswer(field: ExposeField, text: string, known: Known): string | number | undefined {
  const bare = text.trim().replace(/^["'`]|["'`.!]$/g, '');
  const read: Record<ExposeField, () => string | number | undefined> = {
    service_hostname: () => hostIn(bare.replace(/^https?:\/\//, '').replace(/[/:].*$/, '')),
    service_protocol: () => protocolIn(bare),
    sdwan_network_id: () => named(bare, known.networks),
    sdwan_hub_peer_id: () => named(bare, known.peers),
    vip_cidr: () => cidrsIn(bare),
    backend_port: () => portOf(bare),
    listen_port: () => portOf(bare),
    target_peer_id: () => named(bare, known.peers),
    target_instance_id: () => named(bare, known.instances),
    tls_issuer: () => issuerIn(bare, known) ?? (/^[\w.-]{1,64}$/.test(bare) ? bare : undefined),
    challenge_type: () =>
      /\b(dns-01|http-01|tls-alpn-01|dns-account-01|dns-persist-01)\b/i.exec(bare)?.[1]?.toLowerCase(),
    dns_credential_id: () => named(bare.replace(/\s*\([^)]*\)$/, ''), known.credentials),
    termination: () => (/^(proxy|backend)$/i.test(bare) ? bare.toLowerCase() : undefined),
  };
  return read[field]();
}

function readProse(text: string, known: Known): Fields {
  const fields: Fields = {};
  const set = (field: ExposeField, value: string | number | undefined) => {
    if (value !== undefined) fields[field] = value;
  };
  const vip = cidrsIn(text);
  set('vip_cidr', vip);
  set('service_hostname', firstHost(text, known));
  set('service_protocol', protocolIn(text));
  const translated = translatedPorts(text);
  const at = placeIn(text, known);
  set('listen_port', publicPort(text) ?? translated?.listen);
  set('backend_port', translated?.backend ?? at?.port ?? backendPort(text));
  set('sdwan_network_id', mentioned(text, known.networks, /network/));
  const hubs = known.peers.filter(({ hub }) => hub);
  set('sdwan_hub_peer_id', mentioned(text, hubs, /(?:hub|via|through|edge|gateway)/));
  const backends = known.peers.filter(({ id }) => id !== fields.sdwan_hub_peer_id);
  set('target_instance_id', mentioned(text, known.instances, /(?:instance|machine|server|vm|host)/));
  if (fields.target_instance_id === undefined)
    set('target_peer_id', mentioned(text, backends, /(?:peer|backend|node|on|from|to|runs on|fronting|front)/));
  if (fields.target_instance_id === undefined && fields.target_peer_id === undefined && at !== undefined)
    set(at.field, at.id);
  set('tls_issuer', issuerIn(text, known));
  set(
    'challenge_type',
    /\b(dns-01|http-01|tls-alpn-01|dns-account-01|dns-persist-01)\b/i.exec(text)?.[1]?.toLowerCase(),
  );
  set('dns_credential_id', mentioned(text, known.credentials, /(?:credential|credentials|token|key)/));
  if (
    /\b(pass(?:es|ed|ing)?[ -]?through|ends? tls itself|terminat\w+ (?:tls )?itself|own tls|own certificate|backend terminat\w+|termination:? backend)\b/i.test(
      text,
    )
  )
    set('termination', 'backend');
  return fields;
}

const namesOf = ({ networks, peers, instances, credentials }: Known): string[] =>
  [...networks, ...peers, ...instances, ...credentials].map(({ name }) => name);

/** A machine and its port in one, as in `grafana-1:3000`. */
function placeIn(
  text: string,
  { peers, instances }: Known,
): { field: 'target_peer_id' | 'target_instance_id'; id: string; port: number } | undefined {
  const things = [
    ...instances.map(({ id, name }) => ({ id, name, field: 'target_instance_id' as const })),
    ...peers.filter(({ hub }) => !hub).map(({ id, name }) => ({ id, name, field: 'target_peer_id' as const })),
  ];
  for (const { id, name, field } of things) {
    const port = portIn(new RegExp(`(?<![\\w.-])${RegExp.escape(name)}:(\\d{1,5})\\b`, 'i').exec(text)?.[1] ?? '');
    if (port !== undefined) return { field, id, port };
  }
  return undefined;
}

const HOST =
  /(?<![\w@./-])(?:https?:\/\/)?((?:[\p{L}\p{N}](?:[\p{L}\p{N}-]{0,61}[\p{L}\p{N}])?\.)+[\p{L}][\p{L}\p{N}-]*[\p{L}\p{N}])(?![\w-]|\.[\p{L}\p{N}])/giu;

function firstHost(text: string, known: Known): string | undefined {
  const names = new Set(namesOf(known));
  const zones = new Set(known.credentials.flatMap(({ zones }) => zones));
  const hosts = [...text.matchAll(HOST)].flatMap(([, host = '']) => (names.has(host) ? [] : (hostIn(host) ?? [])));
  // "the example.com credential" names a zone; another name, if there is one, is the service.
  return hosts.find((host) => !zones.has(host)) ?? hosts[0];
}

function hostIn(text: string): string | undefined {
  try {
    return parseDnsName(text);
  } catch (error) {
    if (faultOf(error).code === 'invalid_name') return undefined;
    throw error;
  }
}

function protocolIn(text: string): 'http' | 'https' | undefined {
  if (
    /\b(?:without (?:tls|https|encryption|a certificate)|plain(?:text)? http|unencrypted|no (?:tls|https|certificate)|http only|only http|not https)\b/i.test(
      text,
    )
  )
    return 'http';
  if (/\b(?:https|tls|ssl|secure|securely|encrypted|certificate)\b/i.test(text)) return 'https';
  return /\bhttp\b(?!-01)/i.test(text) ? 'http' : undefined;
}

/** Host CIDRs, or bare addresses with their prefix added. Loopback is where a service listens, and no address to give. */
function cidrsIn(text: string): string | undefined {
  const v6 = /(?<![\w:.])((?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4})(\/\d{1,3})?(?![\w:])/i.exec(text);
  const v4 = [...text.matchAll(/(?<![\w.:])(\d{1,3}(?:\.\d{1,3}){3})(\/\d{1,2})?(?![\w.])/g)].find(
    ([, address]) => !address?.startsWith('127.0.0.'),
  );
  const found = [
    ...(v6 && v6[1] !== '::1' ? [`${v6[1]?.toLowerCase()}${v6[2] ?? '/128'}`] : []),
    ...(v4 ? [`${v4[1]}${v4[2] ?? '/32'}`] : []),
  ];
  return found.length === 0 ? undefined : found.join(', ');
}

function issuerIn(text: string, known: Known): string | undefined {
  const own = known.issuers.find((issuer) =>
    new RegExp(`(?<![\\w-])${RegExp.escape(issuer)}(?![\\w-])`, 'i').test(text),
  );
  if (own !== undefined) return own;
  if (/\b(?:staging|dry run|test certificate|for trying)\b/i.test(text)) return 'letsencrypt-staging';
  if (/\b(?:internal ca|own ca|our ca|private ca|internal certificate)\b/i.test(text)) return INTERNAL_ISSUER;
  return /\b(?:let['’]?s ?encrypt|production certificate|letsencrypt prod)\b/i.test(text)
    ? 'letsencrypt-prod'
    : undefined;
}

interface Named {
  readonly id: string;
  readonly name: string;
}

/** By id, by name, or by a name given as `name (provider)`. */
function named(text: string, things: readonly Named[]): string | undefined {
  const word = text.toLowerCase();
  return (things.find(({ id }) => id === text) ?? things.find(({ name }) => name.toLowerCase() === word))?.id;
}

/**
 * A thing whose id or name is in the text. A name that is also an everyday word (a network called "web") counts only
 * beside the word for its kind, before or after it.
 */
function mentioned(text: string, things: readonly Named[], kind: RegExp): string | undefined {
  for (const { id } of things) if (text.includes(id)) return id;
  const longestFirst = [...things].sort((a, b) => b.name.length - a.name.length);
  for (const { id, name } of longestFirst) {
    const word = `["'\`]?(?<![\\w.-])${RegExp.escape(name)}(?![\\w-]|\\.\\w)["'\`]?`;
    const beside = new RegExp(
      `\\b${kind.source}s?\\b[ :]*(?:called |named |the |is )?${word}|${word}[ ]+(?:\\w+ )?${kind.source}\\b`,
      'i',
    );
    if (beside.test(text)) return id;
  }
  const distinct = longestFirst.filter(({ name }) => /[\d.-]/.test(name));
  return distinct.find(({ name }) => new RegExp(`(?<![\\w.-])${RegExp.escape(name)}(?![\\w-]|\\.\\w)`, 'i').test(text))
    ?.id;
}

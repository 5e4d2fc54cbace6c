import { faultOf } from '../../base/index.ts';
import { EXPOSE_FIELDS, type ExposeField, INTERNAL_ISSUER } from '../../ingress/index.ts';
import { parseDnsName } from '../../x509/index.ts';
import type { Known } from './known.ts';

export type Intent = 'expose' | 'unexpose' | 'approve' | 'refuse' | 'help';
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
  const brief = text.slice(0, MOST_CHARACTERS).normalize('NFC');
  const labelled = readLabelled(brief, known);
  const prose = withoutLabelled(brief);
  const fields: Fields = { ...readProse(prose, known), ...labelled };
  const intent = readIntent(brief) ?? (labelled.service_hostname === undefined ? undefined : 'expose');
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
    backend_port: () => portIn(bare),
    listen_port: () => portIn(bare),
    target_peer_id: () => named(bare, known.peers),
    target_instance_id: () => named(bare, known.instances),
    tls_issuer: () => issuerIn(bare, known) ?? (/^[\w.-]{1,64}$/.test(bare) ? bare : undefined),
    challenge_type: () => /\b(dns-01|http-01|tls-alpn-01)\b/i.exec(bare)?.[1]?.toLowerCase(),
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
  set('listen_port', portAfter(text, /(?:public|external|listen(?:ing)? on the hub at|listen|outside) port/));
  set('backend_port', backendPort(text));
  set('sdwan_network_id', mentioned(text, known.networks, /network/));
  const hubs = known.peers.filter(({ hub }) => hub);
  set('sdwan_hub_peer_id', mentioned(text, hubs, /(?:hub|via|through|edge|gateway)/));
  const backends = known.peers.filter(({ id }) => id !== fields.sdwan_hub_peer_id);
  set('target_instance_id', mentioned(text, known.instances, /(?:instance|machine|server|vm|host)/));
  if (fields.target_instance_id === undefined)
    set('target_peer_id', mentioned(text, backends, /(?:peer|backend|node|on|to|runs on|fronting|front)/));
  set('tls_issuer', issuerIn(text, known));
  set('challenge_type', /\b(dns-01|http-01|tls-alpn-01)\b/i.exec(text)?.[1]?.toLowerCase());
  set('dns_credential_id', mentioned(text, known.credentials, /(?:credential|credentials|token|key)/));
  if (
    /\b(pass(?:es|ed|ing)?[ -]?through|ends? tls itself|terminat\w+ (?:tls )?itself|own tls|own certificate|backend terminat\w+|termination:? backend)\b/i.test(
      text,
    )
  )
    set('termination', 'backend');
  return fields;
}

const STOP_EXPOSING =
  /\b(un-?expose|un-?publish|withdraw|take (?:\S+ )?(?:down|offline|off)|stop (?:exposing|publishing|serving)|no longer (?:be )?(?:reachable|public|exposed|available)|(?:make|turn|keep) \S+ (?:private|internal)|hide|remove \S+ from the (?:public )?(?:internet|web)|close \S+ to the (?:internet|world|public)|unreachable)\b/i;
const EXPOSE =
  /\b(expose|publish|make \S+(?: \S+){0,6} (?:reachable|public|available|accessible|visible)|(?:reachable|accessible|available|visible) (?:from|on|over|to) the (?:public )?(?:internet|web|world|outside)|open (?:up )?\S+(?: \S+){0,4} to the (?:internet|world|public)|put (?:\S+ ){1,6}(?:online|on the (?:internet|web))|bring \S+ online|go public with|front \S+ with|give \S+ (?:a )?public (?:endpoint|address|url)|let (?:people|clients|customers|the (?:internet|world)) (?:reach|use|see))\b/i;
const NEGATED =
  /\b(?:do not|don['’]t|never|must not|should not|shouldn['’]t|please no)\b[^.;!?]{0,40}\b(?:expose|publish|make|open|put)\b/i;
const APPROVE =
  /^\s*(?:yes[,.! ]*)?(?:please )?(?:approve|approved|go ahead|run it|do it|execute|confirm|ok(?:ay)? go|ship it)\b/i;
const HELP = /^\s*(?:help|hello|hi|hey|what can you do|how does this work|\?)\b/i;

function readIntent(text: string): Intent | undefined {
  if (APPROVE.test(text)) return 'approve';
  if (STOP_EXPOSING.test(text)) return 'unexpose';
  if (NEGATED.test(text)) return 'refuse';
  if (EXPOSE.test(text)) return 'expose';
  return HELP.test(text) ? 'help' : undefined;
}

const HOST =
  /(?<![\w@./-])(?:https?:\/\/)?((?:[\p{L}\p{N}](?:[\p{L}\p{N}-]{0,61}[\p{L}\p{N}])?\.)+[\p{L}][\p{L}\p{N}-]*[\p{L}\p{N}])(?![\w-]|\.[\p{L}\p{N}])/giu;

function firstHost(text: string, known: Known): string | undefined {
  const names = new Set(
    [...known.networks, ...known.peers, ...known.instances, ...known.credentials].map(({ name }) => name),
  );
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

const portIn = (text: string): number | undefined => {
  const digits = /^(?:port |tcp\/|:)?(\d{1,5})(?:\/tcp)?$/i.exec(text.trim())?.[1];
  const port = digits === undefined ? Number.NaN : Number(digits);
  return port >= 1 && port <= 65_535 ? port : undefined;
};

function portAfter(text: string, words: RegExp): number | undefined {
  return portIn(new RegExp(`\\b${words.source}\\s*(?:is |=|:|of )?\\s*(\\d{1,5})\\b`, 'i').exec(text)?.[1] ?? '');
}

function backendPort(text: string): number | undefined {
  const prose = text.replaceAll(/\b(?:public|external|listen|outside) port\s*(?:is |=|:|of )?\s*\d+/gi, ' ');
  return (
    portAfter(prose, /(?:(?:backend|service|target|internal|local|its|tcp)\s)?port(?: number)?/) ??
    portAfter(prose, /(?:listen(?:s|ing)?|runs?|running|serv(?:es|ing)|answers|available|up) (?:on|at)(?: port)?/) ??
    portIn(/(?:\blocalhost|[\p{L}\d-]\.[\p{L}\d]+|\]|\s|^):(\d{2,5})\b(?![:.\d/])/iu.exec(prose)?.[1] ?? '') ??
    portIn(/\btcp\/(\d{1,5})\b|\b(\d{1,5})\/tcp\b/i.exec(prose)?.slice(1).find(Boolean) ?? '') ??
    portIn(/\b(?:on|at) (\d{2,5})\b(?![.:/\d])/i.exec(prose)?.[1] ?? '')
  );
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

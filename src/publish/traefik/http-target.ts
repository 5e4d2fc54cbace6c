import { Fault, sha256Hex } from '../../base/index.ts';
import type { PublishTarget } from '../publish-target.ts';
import { groupDigest } from '../route-group.ts';
import { renderBase } from './base.ts';
import type { Dynamic, TraefikSettings } from './dynamic.ts';
import { renderGroup } from './render.ts';

/** The document of Traefik's HTTP provider, with certificates and keys in it: for whoever holds the right token only. */
export interface TraefikDocument {
  /**
   * JSON and its entity tag. Throws a `Fault` of status 503 until everything is in it: Traefik takes away what a
   * document leaves out.
   */
  current(): { readonly body: string; readonly etag: string };
}

// The same sections as in `Dynamic`; each item's entries are kept as text, so that one change costs one item's work and
// a join.
const SECTIONS = ['routers', 'services', 'middlewares', 'serversTransports'] as const;
type Piece = Record<`http.${(typeof SECTIONS)[number]}` | 'tcp.routers' | 'tcp.services' | 'tls.options', string> & {
  readonly token: string;
  readonly certificates: string;
};

export function createTraefikHttpTarget(settings: TraefikSettings & { readonly name?: string } = {}): {
  target: PublishTarget;
  document: TraefikDocument;
} {
  const pieces = new Map<string, Piece>();
  const base = pieceOf('', renderBase(settings));
  let composed: { body: string; etag: string } | undefined;
  let complete = false;
  const target: PublishTarget = {
    name: settings.name ?? 'traefik-http',
    inventory: async () => pieces.keys(),
    holds: (item) => pieces.get(item)?.token,
    async deliver({ groups, certificates, gone }) {
      const refused = new Map<string, Fault>();
      composed = undefined;
      for (const item of gone) pieces.delete(item);
      // Traefik takes the content of a PEM file wherever it takes the name of one.
      for (const { id, version, chain, key } of certificates)
        pieces.set(id, pieceOf(version, { tls: { certificates: [{ certFile: chain, keyFile: key }] } }));
      for (const group of groups)
        try {
          pieces.set(group.id, pieceOf(groupDigest(group), renderGroup(group, settings)));
        } catch (error) {
          if (!(error instanceof Fault)) throw error;
          // A route that now demands something (a client certificate) must not go on without it.
          pieces.delete(group.id);
          refused.set(group.id, error);
        }
      return refused;
    },
    upToDate() {
      complete = true;
    },
  };
  return {
    target,
    document: {
      current() {
        if (!complete)
          throw new Fault({
            code: 'starting',
            detail: 'the document is not complete yet',
            party: 'us',
            retry: 'backoff',
            status: 503,
          });
        composed ??= compose([base, ...pieces.values()]);
        return composed;
      },
    },
  };
}

/** The entries of a JSON object without its braces. */
const entries = (object: object | undefined): string =>
  object === undefined ? '' : JSON.stringify(object).slice(1, -1);

function pieceOf(token: string, { http, tcp, tls }: Dynamic): Piece {
  return {
    token,
    'http.routers': entries(http?.routers),
    'http.services': entries(http?.services),
    'http.middlewares': entries(http?.middlewares),
    'http.serversTransports': entries(http?.serversTransports),
    'tcp.routers': entries(tcp?.routers),
    'tcp.services': entries(tcp?.services),
    'tls.options': entries(tls?.options),
    certificates: entries(tls?.certificates),
  };
}

function compose(pieces: readonly Piece[]): { body: string; etag: string } {
  const join = (key: Exclude<keyof Piece, 'token'>) =>
    pieces.flatMap((piece) => (piece[key] === '' ? [] : [piece[key]])).join(',');
  const object = (members: readonly [name: string, text: string][]) =>
    members
      .filter(([, text]) => text !== '')
      .map(([name, text]) => `"${name}":${text}`)
      .join(',');
  // Traefik refuses a section that is there and empty.
  const braced = (text: string) => (text === '' ? '' : `{${text}}`);
  const certificates = join('certificates');
  const body = `{${object([
    ['http', braced(object(SECTIONS.map((section) => [section, braced(join(`http.${section}`))])))],
    [
      'tcp',
      braced(
        object([
          ['routers', braced(join('tcp.routers'))],
          ['services', braced(join('tcp.services'))],
        ]),
      ),
    ],
    [
      'tls',
      braced(
        object([
          ['certificates', certificates === '' ? '' : `[${certificates}]`],
          ['options', braced(join('tls.options'))],
        ]),
      ),
    ],
  ])}}`;
  return { body, etag: `"${sha256Hex(body).slice(0, 32)}"` };
}

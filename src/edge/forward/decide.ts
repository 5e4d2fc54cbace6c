import * as field from '../message/field-names.ts';
import { CONNECTION_UPGRADE, type Head } from '../message/head.ts';
import type { RefusalReason } from '../plane/types.ts';
import { matchPath } from '../routing/host-routes.ts';
import type { ConnectionContext } from './connection-context.ts';
import { type OwnAnswer, plainAnswer } from './own-answer.ts';
import type { Service } from './service.ts';

/** What becomes of a request, from its head alone. */
export type Decision =
  | { readonly kind: 'forward'; readonly service: Service }
  | {
      readonly kind: 'answer';
      readonly answer: OwnAnswer;
      readonly service?: Service;
      readonly refusal?: RefusalReason;
    };

const refuse = (status: number, detail: string, refusal?: RefusalReason): Decision => ({
  kind: 'answer',
  answer: plainAnswer(status, detail),
  ...(refusal === undefined ? {} : { refusal }),
});

const CHALLENGE_PATH = '/.well-known/acme-challenge/';
const CHALLENGE_PREFIX = Buffer.from(CHALLENGE_PATH);
const TRACE = Buffer.from('TRACE');
const EXPECTATION = '100-continue';

export function decide(context: ConnectionContext, head: Head): Decision {
  const { info } = context;
  context.readHost(head);
  if (info.listener.plain !== undefined) {
    const answer = challengeAnswer(context, head);
    if (answer !== undefined) return answer;
  }
  const refused = refusedByHead(head);
  if (refused !== undefined) return refused;
  const { routes } = context;
  if (routes === undefined) {
    return context.agrees()
      ? // Before any routing: a host that nobody published is nobody's here, whatever the path.
        refuse(403, 'no site was published under this name')
      : refuse(421, 'this connection is for another name', 'misdirected');
  }
  const match = routes.whole ?? matchPath(routes, head.target());
  if (match === undefined) return refuse(404, 'no route has this path');
  if (match === 'ambiguous') return refuse(400, 'the path can be read in two ways', 'malformed');
  return decideRoute(context, head, match.with);
}

/** RFC 8555 §8.3: before any route, so that none can swallow it. */
function challengeAnswer(context: ConnectionContext, head: Head): Decision | undefined {
  const { bytes, targetStart, targetEnd } = head;
  const pathEnd = targetStart + CHALLENGE_PREFIX.length;
  if (pathEnd >= targetEnd || bytes.compare(CHALLENGE_PREFIX, 0, CHALLENGE_PREFIX.length, targetStart, pathEnd) !== 0) {
    return undefined;
  }
  const token = head.target().slice(CHALLENGE_PATH.length);
  const found = /^[\w-]{1,256}$/.test(token) ? context.info.listener.plain?.challenge(token, context.host) : undefined;
  return found === undefined ? undefined : { kind: 'answer', answer: { status: 200, body: found } };
}

function refusedByHead(head: Head): Decision | undefined {
  // TRACE would show the client what the edge tells upstreams.
  if (head.isMethod(TRACE)) return refuse(405, 'TRACE is not allowed');
  if (head.has(field.EXPECT) && head.valueOf(field.EXPECT).toLowerCase() !== EXPECTATION) {
    return refuse(417, 'only 100-continue can be expected');
  }
  return undefined;
}

function decideRoute(context: ConnectionContext, head: Head, service: Service): Decision {
  const { info, core } = context;
  const { route } = service;
  const { plain } = info.listener;
  const isPassedThrough = route.tls === 'passthrough';
  if (!info.secure && plain !== undefined && (isPassedThrough || route.plain !== 'serve'))
    return toHttps(context, head, plain.httpsPort);
  // A handshake for such a name is not ours, so this one was for another.
  if (
    isPassedThrough ||
    !context.agrees() ||
    (route.clientCertificate === 'required' && info.serverName !== context.host)
  ) {
    return refuse(421, 'this connection is for another name', 'misdirected');
  }
  if (route.clientCertificate === 'required' && info.clientCertificate === undefined) {
    return refuse(403, 'a client certificate is required');
  }
  if (route.redirect !== undefined) {
    const { to, status = 308, exact = false } = route.redirect;
    const location = exact ? to : `${to.replace(/\/$/, '')}${head.target()}`;
    return { kind: 'answer', service, answer: { status, body: '', fields: [['location', location]] } };
  }
  if (head.contentLength > (route.limits?.bodyBytes ?? core.settings.limits.bodyBytes)) {
    return refuse(413, 'the body is too large', 'body_too_large');
  }
  return { kind: 'forward', service };
}

function toHttps(context: ConnectionContext, head: Head, port: number | undefined): Decision {
  if (port === undefined) return refuse(404, 'this site is served over https only');
  const name = context.host;
  const location = `https://${name}${port === 443 ? '' : `:${port}`}${head.target() === '*' ? '/' : head.target()}`;
  return { kind: 'answer', answer: { status: 308, body: '', fields: [['location', location]] } };
}

/** The protocol an HTTP/1.1 request wants to change to; h2c is not offered (RFC 9113 §3.1). */
export function wantedUpgrade(head: Head): string | undefined {
  if ((head.connection & CONNECTION_UPGRADE) === 0 || head.version !== 1 || !head.has(field.UPGRADE)) return undefined;
  const protocol = head.valueOf(field.UPGRADE);
  if (head.chunked || head.contentLength > 0 || !/^[\w!#$%&'*+.^`|~/-]+$/.test(protocol)) return undefined;
  return /^h2c?$/i.test(protocol) ? undefined : protocol;
}

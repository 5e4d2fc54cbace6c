import * as field from '../message/field-names.ts';
import { CONNECTION_NAMES_FIELDS, type Fields, type Head, NO_LENGTH } from '../message/head.ts';
import type { ConnectionContext } from './connection-context.ts';
import { wantedUpgrade } from './decide.ts';
import { dropConnectionNamed, dropNamed } from './field-rules.ts';
import type { OutgoingAnswer, OutgoingRequest } from './outgoing.ts';
import type { Service } from './service.ts';

/** Hop-by-hop fields (RFC 9110 §7.6.1), Host, which each writer puts itself, and what only the edge may say. */
const NEVER_FORWARDED = field.maskOf(
  field.HOST,
  field.CONNECTION,
  field.TRANSFER_ENCODING,
  field.UPGRADE,
  field.TE,
  field.TRAILER,
  field.KEEP_ALIVE,
  field.PROXY_CONNECTION,
  field.PROXY_AUTH,
  field.HTTP2_SETTINGS,
  field.X_FORWARDED_FOR,
  field.X_FORWARDED_PROTO,
  field.X_FORWARDED_HOST,
  field.X_FORWARDED_OTHER,
  field.X_REAL_IP,
  field.FORWARDED,
  field.X_REQUEST_ID,
  field.X_CLIENT_CERT,
  field.DROPPED,
);

const NEVER_ANSWERED = field.maskOf(
  field.CONNECTION,
  field.TRANSFER_ENCODING,
  field.UPGRADE,
  field.KEEP_ALIVE,
  field.PROXY_CONNECTION,
  field.PROXY_AUTH,
  field.HTTP2_SETTINGS,
  field.DROPPED,
);

/** `undefined` when Connection names a field that must not be dropped. */
export function planRequest(
  context: ConnectionContext,
  head: Head,
  service: Service,
  hasBody: boolean,
  requestId: string,
  upstreamAuthority: string,
): OutgoingRequest | undefined {
  if ((head.connection & CONNECTION_NAMES_FIELDS) !== 0 && !dropConnectionNamed(head)) return undefined;
  dropNamed(head, service.requestRules.names);
  const extra: Fields[] = [context.fields.of(head, context.authority)];
  const { requestIdHeader } = context.core.settings;
  if (requestIdHeader !== '') {
    if (requestIdHeader !== 'x-request-id') dropNamed(head, [Buffer.from(requestIdHeader, 'latin1')]);
    extra.push(context.idField(requestIdHeader, requestId));
  }
  if (service.requestExtra !== undefined) extra.push(service.requestExtra);
  const { stripped } = service;
  const target = stripped === '' ? undefined : withoutPrefix(head.target(), stripped);
  return {
    head,
    drop: NEVER_FORWARDED,
    target,
    authority: service.fixedHost ?? (service.ownHost ? upstreamAuthority : undefined),
    extra,
    body: !hasBody ? 'none' : head.contentLength === NO_LENGTH ? 'stream' : 'length',
    upgrade: wantedUpgrade(head),
    trailers: head.has(field.TE) && /\btrailers\b/i.test(head.valueOf(field.TE)),
  };
}

function withoutPrefix(target: string, prefix: string): string {
  const rest = target.slice(prefix.length);
  return rest.startsWith('/') ? rest : `/${rest}`;
}

export function planAnswer(
  head: Head,
  service: Service,
  headOnly: boolean,
  ended: boolean,
  secure: boolean,
): OutgoingAnswer | undefined {
  if ((head.connection & CONNECTION_NAMES_FIELDS) !== 0 && !dropConnectionNamed(head)) return undefined;
  dropNamed(head, service.responseRules.names);
  let drop = NEVER_ANSWERED;
  // RFC 6797 §7.2: ours replaces the upstream's, and never over plain HTTP.
  if (service.hsts && secure) drop |= 1 << field.STRICT_TRANSPORT_SECURITY;
  // RFC 9110 §8.6: a 204 has no Content-Length.
  if (head.status === 204) drop |= 1 << field.CONTENT_LENGTH;
  const bodiless = headOnly || head.status === 204 || head.status === 304;
  return {
    head,
    drop,
    extra: secure ? service.responseExtra : service.responseExtraPlain,
    body: bodiless ? 'none' : head.contentLength !== NO_LENGTH ? 'length' : ended ? 'empty' : 'stream',
  };
}

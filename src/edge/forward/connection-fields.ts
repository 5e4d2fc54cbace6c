import { isIP } from 'node:net';
import * as field from '../message/field-names.ts';
import { type Fields, fieldsOf, type Head } from '../message/head.ts';
import type { ConnectionInfo } from '../plane/types.ts';

/** What the edge tells upstreams about a client's connection. Made once per connection and host, not per request. */
export interface ConnectionFields {
  /** For this request; the same object as long as host and claims stay the same. */
  of(head: Head, authority: string): Fields;
  /** The client's address, as a trusted proxy tells it when the connection is one's. */
  clientAddress(head: Head): string;
}

/** RFC 7239 §6: an IPv6 address stands in brackets and quotes. */
const forwardedNode = (address: string) => (address.includes(':') ? `"[${address}]"` : address);
/** Field values are printable ASCII here; a certificate's subject may be anything. */
const printable = (text: string) => encodeURI(text).replace(/%20/g, ' ');

function certificateFields({ clientCertificate }: ConnectionInfo): [string, string][] {
  if (clientCertificate === undefined) return [];
  const { subject, names, serial, fingerprint } = clientCertificate;
  return [
    ['x-client-cert-verified', 'SUCCESS'],
    ['x-client-cert-subject', printable(subject)],
    ['x-client-cert-names', printable(names.join(','))],
    ['x-client-cert-serial', serial],
    ['x-client-cert-fingerprint', fingerprint],
  ];
}

export function createConnectionFields(info: ConnectionInfo, trusted: (address: string) => boolean): ConnectionFields {
  const address = info.remoteAddress;
  const proto = info.secure ? 'https' : 'http';
  const certificate = certificateFields(info);
  if (trusted(address)) return behindProxy(address, proto, certificate, trusted);
  let lastAuthority: string | undefined;
  let last: Fields | undefined;
  return {
    clientAddress: () => address,
    of(_head, authority) {
      if (last !== undefined && authority === lastAuthority) return last;
      lastAuthority = authority;
      last = fieldsOf([
        ['x-forwarded-for', address],
        ['x-forwarded-proto', proto],
        ['x-forwarded-host', authority],
        ['x-real-ip', address],
        ['forwarded', `for=${forwardedNode(address)};host="${authority}";proto=${proto}`],
        ...certificate,
      ]);
      return last;
    },
  };
}

/** All values of a list field as one (RFC 9110 §5.3). */
function joined(head: Head, id: number): string {
  if (!head.has(id)) return '';
  const values: string[] = [];
  for (let index = 0; index < head.count; index++) if (head.id(index) === id) values.push(head.value(index));
  return values.filter((value) => value !== '').join(', ');
}

function behindProxy(
  address: string,
  proto: string,
  certificate: [string, string][],
  trusted: (address: string) => boolean,
): ConnectionFields {
  const clientAddress = (head: Head) => {
    const hops = joined(head, field.X_FORWARDED_FOR).split(',');
    // From the near end: the first address that is not a proxy of ours is the client.
    let client = address;
    for (const hop of hops.reverse().map((text) => text.trim())) {
      // What is no address says nothing about who it was.
      if (isIP(hop) === 0) break;
      client = hop;
      if (!trusted(hop)) break;
    }
    return client;
  };
  return {
    clientAddress,
    of(head, authority) {
      const before = joined(head, field.X_FORWARDED_FOR);
      const forwarded = joined(head, field.FORWARDED);
      const scheme = head.valueOf(field.X_FORWARDED_PROTO);
      const host = head.valueOf(field.X_FORWARDED_HOST);
      const hop = `for=${forwardedNode(address)};host="${authority}";proto=${proto}`;
      return fieldsOf([
        ['x-forwarded-for', before === '' ? address : `${before}, ${address}`],
        ['x-forwarded-proto', scheme === 'http' || scheme === 'https' ? scheme : proto],
        ['x-forwarded-host', host === '' ? authority : host],
        ['x-real-ip', clientAddress(head)],
        ['forwarded', forwarded === '' ? hop : `${forwarded}, ${hop}`],
        ...certificate,
      ]);
    },
  };
}

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { CertificateAuthority } from './certificate-authority.ts';
import type { DistributionUrls } from './issue.ts';

const MOST_REQUEST = 4096;

/** The URLs that go into certificates when `createCaHandler` answers under `base`, which should be plain http. */
export function distributionUrls(base: string): DistributionUrls {
  return {
    crl: (authorityId, partition) => `${base}/ca/${authorityId}/${partition}.crl`,
    ocsp: `${base}/ca/ocsp`,
    issuer: (authorityId) => `${base}/ca/${authorityId}.cer`,
  };
}

/**
 * Answers `/ca/root.pem`, `/ca/{authority}.cer`, `/ca/{authority}/{partition}.crl` and OCSP at `/ca/ocsp`. False, with
 * nothing written, when the path is none of these.
 */
export function createCaHandler(
  ca: CertificateAuthority,
): (request: IncomingMessage, response: ServerResponse) => boolean {
  return (request, response) => {
    const path = (request.url ?? '').split('?')[0]!;
    if (!path.startsWith('/ca/')) return false;
    void answer(ca, path.slice(4), request)
      .catch((): Found => ({ status: 500 }))
      .then(({ status, type, body, maxAge }) => {
        response.writeHead(status, {
          ...(type !== undefined && { 'Content-Type': type }),
          'Content-Length': body?.length ?? 0,
          'Cache-Control': maxAge === undefined ? 'no-store' : `public, max-age=${maxAge}`,
        });
        response.end(request.method === 'HEAD' ? undefined : body);
      });
    return true;
  };
}

interface Found {
  readonly status: number;
  readonly type?: string;
  readonly body?: Buffer;
  /** Seconds. */
  readonly maxAge?: number;
}

async function answer(ca: CertificateAuthority, path: string, request: IncomingMessage): Promise<Found> {
  if (path === 'ocsp' || path.startsWith('ocsp/')) return answerOcsp(ca, path.slice(5), request);
  if (request.method !== 'GET' && request.method !== 'HEAD') return { status: 405 };
  if (path === 'root.pem')
    return { status: 200, type: 'application/x-pem-file', body: Buffer.from(ca.rootPem()), maxAge: 3600 };
  const list = /^(ca_[0-9a-z]+)\/(\d{1,3})\.crl$/.exec(path);
  if (list !== null) {
    const found = await ca.revocation.list(list[1]!, Number(list[2]));
    return found === undefined
      ? { status: 404 }
      : { status: 200, type: 'application/pkix-crl', body: found.der, maxAge: 3600 };
  }
  const id = /^(ca_[0-9a-z]+)\.cer$/.exec(path)?.[1];
  const authority = ca.authorities().find((candidate) => candidate.id === id);
  if (authority === undefined) return { status: 404 };
  return { status: 200, type: 'application/pkix-cert', body: authority.certificate.der, maxAge: 86_400 };
}

/** RFC 6960 appendix A.1: POST with the request as body, or GET with it in base64 after the path. */
async function answerOcsp(ca: CertificateAuthority, encoded: string, request: IncomingMessage): Promise<Found> {
  let der: Buffer;
  if (request.method === 'GET') {
    if (encoded.length > MOST_REQUEST * 2) return { status: 414 };
    try {
      der = Buffer.from(decodeURIComponent(encoded), 'base64');
    } catch {
      return { status: 400 };
    }
  } else if (request.method === 'POST') {
    const chunks: Buffer[] = [];
    let length = 0;
    for await (const chunk of request as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > MOST_REQUEST) return { status: 413 };
      chunks.push(chunk);
    }
    der = Buffer.concat(chunks);
  } else return { status: 405 };
  const { der: body, nextUpdate } = await ca.revocation.ocsp(der);
  const cacheable = request.method === 'GET' && nextUpdate !== undefined;
  return { status: 200, type: 'application/ocsp-response', body, ...(cacheable && { maxAge: 300 }) };
}

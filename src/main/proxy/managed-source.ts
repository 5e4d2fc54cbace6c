import { readFileSync } from 'node:fs';
import { Agent, request } from 'undici';
import { errorText, Fault } from '../../base/index.ts';
import type { ManagedPair, ManagedSource, PlannedManaged } from '../../edge/index.ts';

const WITHIN_MS = 30_000;
const MOST_BYTES = 512 * 1024 * 1024;

/** A control half's document of routes and certificates, of which the certificates are taken. */
export function createManagedSource({ control, ca, tokenFile }: PlannedManaged): ManagedSource {
  const agent = new Agent({
    connect: { ca },
    headersTimeout: WITHIN_MS,
    bodyTimeout: WITHIN_MS,
    maxResponseSize: MOST_BYTES,
  });
  const url = new URL('/api/v1/publish/traefik', control);
  return {
    async fetch(etag, signal) {
      const headers = {
        authorization: `Bearer ${tokenOf(tokenFile)}`,
        ...(etag !== undefined && { 'if-none-match': etag }),
      };
      const {
        statusCode,
        headers: answered,
        body,
      } = await request(url, { dispatcher: agent, headers, signal }).catch((error: unknown) => {
        throw fault(`${url.origin} cannot be reached: ${errorText(error)}`, error);
      });
      if (statusCode === 304) {
        await body.dump();
        return undefined;
      }
      const text = await body.text();
      if (statusCode !== 200)
        throw fault(`${url.href} answered ${statusCode}: ${WHY[statusCode] ?? text.slice(0, 200)}`);
      return { pairs: pairsOf(text, url), etag: typeof answered.etag === 'string' ? answered.etag : undefined };
    },
    close: () => agent.destroy(),
  };
}

const WHY: Record<number, string> = {
  401: 'the token of token_file is not known there; make one with: gatehouse tokens create edge --permission system.ingress.manage',
  403: 'the token of token_file lacks the permission system.ingress.manage',
  404: 'it does not publish there; its configuration needs publish: { traefik_http: {} }',
};

const fault = (detail: string, cause?: unknown) =>
  new Fault({ code: 'control_half', detail, party: 'upstream', retry: 'backoff' }, cause);

/** Read each time, so that another token may be put there. */
function tokenOf(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw fault(`token_file ${file} cannot be read: ${errorText(error)}`, error);
  }
}

function pairsOf(text: string, url: URL): ManagedPair[] {
  try {
    const { tls } = JSON.parse(text) as { tls?: { certificates?: { certFile: string; keyFile: string }[] } };
    return (tls?.certificates ?? []).map(({ certFile, keyFile }) => ({ chain: certFile, key: keyFile }));
  } catch (error) {
    throw fault(`${url.href} answered something else than the document: ${errorText(error)}`, error);
  }
}

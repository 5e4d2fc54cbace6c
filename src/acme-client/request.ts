import type { KeyObject } from 'node:crypto';
import { type Directory, problemTypeOf } from '../acme/index.ts';
import { type Clock, Fault } from '../base/index.ts';
import { type JwsIdentity, signJws } from './jws.ts';
import { faultOfResponse, parseJson, parseProblem } from './problem-fault.ts';
import type { AcmeResponse, Transport } from './transport.ts';

/** Signed requests to one CA: the directory known, nonces kept, refused nonces replaced. */
export interface Requests {
  directory(signal?: AbortSignal): Promise<Directory>;
  /** Answers any 2xx; throws the `Fault` of anything else. */
  post(signer: Signer, url: string, payload: object | '', options?: PostOptions): Promise<AcmeResponse>;
  get(url: string, signal?: AbortSignal): Promise<AcmeResponse>;
}

export interface Signer {
  readonly key: KeyObject;
  readonly identity: JwsIdentity;
}

export interface PostOptions {
  readonly accept?: string;
  readonly signal?: AbortSignal;
}

// A directory changes when a CA is reconfigured; nonces on our shelf may be refused and are cheap to replace.
const DIRECTORY_MS = 3_600_000;
const MOST_NONCES = 32;
const MOST_NONCE_REFUSALS = 12;

export function createRequests(directoryUrl: string, transport: Transport, clock: Clock): Requests {
  let known: { at: number; directory: Promise<Directory> } | undefined;
  const nonces: string[] = [];

  const keepNonce = ({ headers }: AcmeResponse) => {
    const nonce = headers['replay-nonce'];
    if (typeof nonce === 'string' && /^[A-Za-z0-9_-]{1,512}$/.test(nonce) && nonces.length < MOST_NONCES)
      nonces.push(nonce);
  };

  async function get(url: string, signal?: AbortSignal): Promise<AcmeResponse> {
    const response = await transport.exchange('GET', url, { accept: 'application/json', signal });
    if (response.status < 200 || response.status > 299) throw faultOfResponse(response, url, clock.now());
    return response;
  }

  function directory(signal?: AbortSignal): Promise<Directory> {
    if (known === undefined || clock.now() - known.at > DIRECTORY_MS || clock.now() < known.at) {
      const fetched = get(directoryUrl, signal).then((response) => parseDirectory(response.body, directoryUrl));
      const entry = { at: clock.now(), directory: fetched };
      known = entry;
      fetched.catch(() => {
        if (known === entry) known = undefined;
      });
    }
    return known.directory;
  }

  async function nonce(signal?: AbortSignal): Promise<string> {
    const kept = nonces.pop();
    if (kept !== undefined) return kept;
    const { newNonce } = await directory(signal);
    const response = await transport.exchange('HEAD', newNonce, { signal });
    keepNonce(response);
    const fresh = nonces.pop();
    if (fresh === undefined) throw faultOfResponse(response, newNonce, clock.now());
    return fresh;
  }

  async function post(signer: Signer, url: string, payload: object | '', options: PostOptions = {}) {
    for (let refused = 0; ; refused++) {
      const body = JSON.stringify(signJws(signer.key, signer.identity, url, payload, await nonce(options.signal)));
      const response = await transport.exchange('POST', url, { ...options, body });
      keepNonce(response);
      if (response.status >= 200 && response.status <= 299) return response;
      // RFC 8555 §6.5: the refusal brings a new nonce to try again with.
      const isNonce = problemTypeOf(parseProblem(response.body)?.type ?? '') === 'badNonce';
      if (!isNonce || refused >= MOST_NONCE_REFUSALS) throw faultOfResponse(response, url, clock.now());
    }
  }

  return { directory, post, get };
}

function parseDirectory(body: Buffer, url: string): Directory {
  const value = parseJson(body);
  const required = ['newNonce', 'newAccount', 'newOrder', 'revokeCert'] as const;
  const record = typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  const missing = required.filter((name) => typeof record[name] !== 'string');
  if (missing.length > 0)
    throw new Fault({
      code: 'not_acme',
      detail: `${url} is no ACME directory: ${missing.join(', ')} missing`,
      party: 'operator',
      retry: 'backoff',
      advice: "correct the issuer's directory URL",
    });
  return record as unknown as Directory;
}

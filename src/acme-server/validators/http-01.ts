import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP, connect as tcpConnect } from 'node:net';
import { connect as tlsConnect } from 'node:tls';
import { type Identifier, identifierOf, keyAuthorization } from '../../acme/index.ts';
import { errorText } from '../../base/index.ts';
import { Refusal } from '../refusal.ts';
import { reachableAddresses } from './target.ts';
import type { ValidationPolicy, Validator } from './validator.ts';

const MOST_REDIRECTS = 10;
const MOST_BODY = 4096;

/** RFC 8555 §8.3. Redirects are followed within the rules of the profile; every hop's address is checked and pinned. */
export const validateHttp01: Validator = async (task, signal) => {
  const { identifier, policy } = task;
  const expected = keyAuthorization(task.token!, task.thumbprint);
  const host = isIP(identifier.value) === 6 ? `[${identifier.value}]` : identifier.value;
  const port = policy.http_port === 80 ? '' : `:${policy.http_port}`;
  let url = new URL(`http://${host}${port}/.well-known/acme-challenge/${task.token}`);
  const seen = new Set<string>();
  for (let hop = 0; hop <= MOST_REDIRECTS; hop++) {
    if (seen.has(url.href)) throw problem('connection', url, 'redirects go round in a circle');
    seen.add(url.href);
    const response = await get(url, policy, signal);
    const { statusCode = 0 } = response;
    if ([301, 302, 303, 307, 308].includes(statusCode)) {
      response.destroy();
      url = redirectTarget(url, response.headers.location, policy);
      continue;
    }
    if (statusCode !== 200) {
      response.destroy();
      throw problem('unauthorized', url, `answered ${statusCode}, not 200`);
    }
    const body = await readSome(response);
    // No byte of the body is told: it may come from inside a network that the asker cannot reach.
    if (body.trimEnd() !== expected)
      throw problem(
        'unauthorized',
        url,
        `answered something other than the key authorization (${expected.length} characters)`,
      );
    return;
  }
  throw problem('connection', url, `more than ${MOST_REDIRECTS} redirects`);
};

function redirectTarget(from: URL, location: string | undefined, policy: ValidationPolicy): URL {
  const target = location === undefined || location.length > 2000 ? null : URL.parse(location, from);
  if (target === null) throw problem('connection', from, 'redirects without a usable Location');
  if (target.protocol !== 'http:' && target.protocol !== 'https:')
    throw problem('connection', from, 'redirects to something other than http and https');
  if (target.username !== '' || target.password !== '')
    throw problem('connection', from, 'redirects to a URL with a password');
  const port = Number(target.port || (target.protocol === 'https:' ? 443 : 80));
  const allowed = [80, 443, policy.http_port, policy.tls_port];
  if (!allowed.includes(port))
    throw problem('connection', from, `redirects to port ${port}; allowed are ${[...new Set(allowed)].join(', ')}`);
  return target;
}

async function get(url: URL, policy: ValidationPolicy, signal: AbortSignal): Promise<IncomingMessage> {
  const name = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const identifier: Identifier = identifierOf(name);
  const addresses = await reachableAddresses(identifier, policy, signal);
  let last: unknown;
  for (const address of addresses) {
    try {
      return await getFrom(address, url, signal);
    } catch (error) {
      last = error;
      if (signal.aborted) break;
    }
  }
  const why = signal.aborted ? 'did not answer in time' : errorText(last);
  throw new Refusal('connection', `${hideQuery(url)}: ${why} (tried ${addresses.join(', ')})`, {}, last);
}

/** One GET to an address; the name appears in the Host header and, for https, in SNI only. */
function getFrom(address: string, url: URL, signal: AbortSignal): Promise<IncomingMessage> {
  const secure = url.protocol === 'https:';
  const hostname = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const place = { host: address, port: Number(url.port || (secure ? 443 : 80)) };
  return new Promise((resolve, reject) => {
    const request = (secure ? httpsRequest : httpRequest)({
      // A connection of its own, which no agent has to keep.
      createConnection: () => (secure ? tlsConnect({ ...place, ...blind(hostname) }) : tcpConnect(place)),
      path: `${url.pathname}${url.search}`,
      headers: { Host: url.host, 'User-Agent': 'gatehouse-acme-validator', Accept: '*/*', Connection: 'close' },
      signal,
      maxHeaderSize: 16 * 1024,
      setDefaultHeaders: false,
    });
    request.once('response', resolve);
    request.once('error', reject);
    request.end();
  });
}

/** RFC 8555 §8.3: certificates met on the way are not verified, since the client is about to get its first one. */
const blind = (hostname: string) => ({
  rejectUnauthorized: false,
  servername: isIP(hostname) === 0 ? hostname : '',
});

function readSome(response: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const done = () => resolve(Buffer.concat(chunks).subarray(0, MOST_BODY).toString('latin1'));
    const cutOff = (cause?: Error) =>
      reject(
        new Refusal('connection', `the answer was cut off: ${errorText(cause ?? 'the end is missing')}`, {}, cause),
      );
    response.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      length += chunk.length;
      if (length <= MOST_BODY) return;
      done();
      response.destroy();
    });
    response.once('end', done);
    response.once('error', cutOff);
    response.once('close', () => response.readableEnded || cutOff());
  });
}

const hideQuery = (url: URL): string => `${url.origin}${url.pathname}`.slice(0, 300);

const problem = (type: 'connection' | 'unauthorized', url: URL, why: string): Refusal =>
  new Refusal(type, `${hideQuery(url)} ${why}`);

// Drives whole orders against an ACME server, from a process of its own. Settings as one JSON argument; one JSON line out.
import { createHmac, createPrivateKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { createServer } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { createCertificationRequest } from '../../src/x509/index.ts';
import { b64, RawAcme, type RawAnswer } from '../../test/fixtures/raw-acme.ts';

interface Settings {
  readonly directory: string;
  /** PEM that the server's HTTPS is checked with. */
  readonly ca: string;
  readonly mode: 'trust' | 'challenge';
  readonly httpPort: number;
  /** Orders under way at once, each by an account of its own. */
  readonly accounts: number;
  readonly warmup: number;
  readonly orders: number;
  readonly eabKeys: readonly { kid: string; hmac: string }[];
}

const settings = JSON.parse(process.argv[2]!) as Settings;
const answers = new Map<string, string>();
if (settings.mode === 'challenge')
  await new Promise<void>((resolve) =>
    createServer((request, response) =>
      response.end(answers.get(request.url!.slice(request.url!.lastIndexOf('/') + 1)) ?? ''),
    ).listen(settings.httpPort, '127.0.0.1', resolve),
  );

const ok = (answer: RawAnswer): RawAnswer => {
  if (answer.status >= 400) throw new Error(`${answer.status} ${answer.text}`);
  return answer;
};

async function join(index: number): Promise<RawAcme> {
  const acme = await new RawAcme(settings.directory, { ca: settings.ca }).start();
  const eab = settings.eabKeys[index % Math.max(1, settings.eabKeys.length)];
  const payload = { termsOfServiceAgreed: true, ...(eab && { externalAccountBinding: bind(acme, eab) }) };
  ok(await acme.register(payload));
  return acme;
}

function bind(acme: RawAcme, eab: { kid: string; hmac: string }): object {
  const head = b64({ alg: 'HS256', kid: eab.kid, url: acme.directory.newAccount });
  const body = b64(acme.key.jwk);
  const signature = createHmac('sha256', Buffer.from(eab.hmac, 'base64url'))
    .update(`${head}.${body}`)
    .digest('base64url');
  return { protected: head, payload: body, signature };
}

const TELL_EACH = 5_000;
let requests = 0;
async function order(acme: RawAcme, name: string, csr: string): Promise<string> {
  const post = async (url: string, payload: unknown) => {
    requests++;
    return ok(await acme.post(url, payload));
  };
  let { json: object, headers } = await post(acme.directory.newOrder!, { identifiers: [{ type: 'dns', value: name }] });
  const url = headers.location!;
  if (settings.mode === 'challenge') {
    const { json: authorization } = await post(object.authorizations[0], '');
    if (authorization.status === 'pending') {
      const challenge = authorization.challenges.find(({ type }: { type: string }) => type === 'http-01');
      answers.set(challenge.token, acme.keyAuthorization(challenge.token));
      // As lego does: what the answer to the response says counts, and only what is under way is asked for again.
      let { status } = (await post(challenge.url, {})).json;
      while (status !== 'valid') {
        if (status === 'invalid') throw new Error('the authorization became invalid');
        await delay(5);
        status = (await post(object.authorizations[0], '')).json.status;
      }
      answers.delete(challenge.token);
    }
  }
  object = (await post(object.finalize, { csr })).json;
  while (object.status === 'processing') {
    await delay(5);
    object = (await post(url, '')).json;
  }
  if (object.certificate === undefined) throw new Error(JSON.stringify(object));
  return (await post(object.certificate, '')).text;
}

const accounts = await Promise.all(Array.from({ length: settings.accounts }, (_, index) => join(index)));
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const key = createPrivateKey(privateKey.export({ format: 'pem', type: 'pkcs8' }));
let serial = 0;

async function drive(count: number): Promise<number[]> {
  const latencies: number[] = [];
  let left = count;
  await Promise.all(
    accounts.map(async (acme) => {
      while (left-- > 0) {
        const name = `n${serial++}.bench.localhost`;
        // Made before the clock starts: the client's own work is no part of an order's time.
        const csr = createCertificationRequest([name], key).toString('base64url');
        const begin = performance.now();
        const pem = await order(acme, name, csr);
        latencies.push(performance.now() - begin);
        if (latencies.length % TELL_EACH === 0) process.send?.(latencies.length);
        if (latencies.length === 1 && !new X509Certificate(pem).checkHost(name)) throw new Error('a wrong certificate');
      }
    }),
  );
  return latencies;
}

await drive(settings.warmup);
process.send?.('warm');
if (process.send !== undefined) await new Promise((resolve) => process.once('message', resolve));
requests = 0;
const begin = performance.now();
const used = process.cpuUsage();
const latencies = (await drive(settings.orders)).sort((a, b) => a - b);
const seconds = (performance.now() - begin) / 1000;
const { user, system } = process.cpuUsage(used);
const at = (fraction: number) => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * fraction))]!;
console.log(
  JSON.stringify({
    orders: latencies.length,
    seconds,
    perSecond: latencies.length / seconds,
    requestsPerOrder: requests / latencies.length,
    loadBusy: (user + system) / 1e6 / seconds,
    p50: at(0.5),
    p99: at(0.99),
  }),
);
process.exit(0);

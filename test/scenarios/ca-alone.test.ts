import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import { copyFileSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { connect } from 'node:tls';
import { createCertificationRequest, parsePem, pemOf } from '../../src/x509/index.ts';
import { startDnsServer } from '../fixtures/dns-server.ts';
import { ROOT, startCommand, startGatehouse } from '../fixtures/gatehouse.ts';
import { RawAcme } from '../fixtures/raw-acme.ts';
import { freePort, temporaryDirectory } from '../fixtures/temporary.ts';

const CA_SERVE = { command: ['ca', 'serve'] };
const key = () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;

async function clientOf(directory: string, rootFile: string): Promise<RawAcme> {
  const client = await new RawAcme(directory, { ca: readFileSync(rootFile, 'utf8') }).start();
  await client.register();
  return client;
}

/** Answers http-01 for whoever asks; every token is answered for the client. */
async function answering(t: TestContext, client: () => RawAcme): Promise<number> {
  const web = createServer((request, response) =>
    response.end(client().keyAuthorization(request.url?.split('/').at(-1) ?? '')),
  );
  await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    web.closeAllConnections();
    web.close();
  });
  return (web.address() as AddressInfo).port;
}

test('the ACME server alone: settings by environment, lists over plain HTTP, an imported CA with constraints of its own', async (t) => {
  const directory = temporaryDirectory(t);
  const openssl = (...rest: string[]) => execFileSync('openssl', rest, { cwd: directory, stdio: 'pipe' });
  writeFileSync(join(directory, 'pass'), 'secret\n');
  const root =
    'req -x509 -newkey rsa:2048 -keyout root.key -passout pass:secret -out root.pem -days 30 -subj /CN=Theirs';
  openssl(...root.split(' '), '-addext', 'keyUsage=critical,keyCertSign,cRLSign');
  const file = (name: string) => join(directory, name);
  const gatehouse = await startGatehouse(t, {
    ...CA_SERVE,
    config: `
api: { port: 0 }
agents: { port: 0 }
acme_server: { port: 0 }
ca:
  url: http://pki.corp.example
  port: 0
  name_constraints: { permitted: [corp.example, localhost, 127.0.0.0/8] }
  import: { chain_file: ${file('root.pem')}, key_file: ${file('root.key')}, passphrase_file: ${file('pass')} }
`,
    env: {
      GATEHOUSE_ACME_SERVER_DEFAULT_PROFILE_ID: 'corp',
      GATEHOUSE_ACME_SERVER_DEFAULT_AUTH_MODE: 'trust_authenticated',
      GATEHOUSE_ACME_SERVER_EAB_REQUIRED: 'true',
      GATEHOUSE_ACME_SERVER_RATE_LIMIT_ORDERS_PER_HOUR: '7',
    },
  });
  const profile = JSON.parse((await gatehouse.cli('profiles', 'show', 'corp', '--json')).stdout);
  assert.deepEqual(profile.limits.orders, { count: 7, per_seconds: 3600 });
  assert.deepEqual([profile.auth_mode, profile.eab_required, profile.default], ['trust_authenticated', true, true]);
  const changed = await gatehouse.cli('profiles', 'change', 'corp', 'trust_without_eab=true', 'eab_required=false');
  assert.equal(changed.code, 0, changed.stderr);
  const limits = ['--allow', '*.corp.example', '--deny', 'boss.corp.example', '--mode', 'challenge'];
  const made = await gatehouse.cli('profiles', 'eab', 'create', 'corp', ...limits, '--max-certificates', '3');
  assert.equal(made.code, 0, made.stderr);
  const keys = (await gatehouse.cli('profiles', 'eab', 'list', 'corp')).stdout;
  assert.match(keys, /unused +challenge +\*\.corp\.example +boss\.corp\.example +- +0 of 3 +-/);
  const both = await gatehouse.cli('profiles', 'eab', 'create', 'corp', '--trust', '--mode', 'challenge');
  assert.match(both.stderr, /cannot be used with/);
  const { acme_directory, ca_root_file } = gatehouse.ready;
  assert.equal(readFileSync(ca_root_file, 'utf8').trim(), readFileSync(file('root.pem'), 'utf8').trim());
  const client = await clientOf(acme_directory, ca_root_file);
  const refused = await client.order(['a.other.example']);
  assert.match(refused.json.detail, /the name constraints of this CA do not allow it/);
  const order = await client.order(['a.corp.example']);
  const csr = createCertificationRequest(['a.corp.example'], key()).toString('base64url');
  const done = await client.post(order.json.finalize, { csr });
  const { text } = await client.post(done.json.certificate, '');
  const [leaf, issuer] = parsePem('CERTIFICATE', text);
  writeFileSync(file('leaf.pem'), pemOf('CERTIFICATE', leaf!));
  writeFileSync(file('issuer.pem'), pemOf('CERTIFICATE', issuer!));
  openssl('verify', '-CAfile', 'root.pem', '-untrusted', 'issuer.pem', 'leaf.pem');
  const { ca_http } = gatehouse.ready as unknown as { ca_http: string };
  const said = openssl('x509', '-in', 'leaf.pem', '-noout', '-text').toString();
  const path = /URI:http:\/\/pki\.corp\.example\/ca\/(\S+\.crl)/.exec(said)?.[1];
  const list = await fetch(`${ca_http}${path}`);
  assert.equal(list.headers.get('content-type'), 'application/pkix-crl');
  writeFileSync(file('list.crl'), Buffer.from(await list.arrayBuffer()));
  openssl(...'crl -inform DER -in list.crl -CAfile issuer.pem -noout -verify'.split(' '));
});

test('other perspectives must see control too: one that sees something else and one that is gone', async (t) => {
  const ports = { paris: await freePort(), tokyo: await freePort() };
  const [here, elsewhere] = [await startDnsServer(t, { everyAddress: '127.0.0.1' }), await startDnsServer(t)];
  let client: RawAcme | undefined;
  const httpPort = await answering(t, () => client!);
  const config = `
api: { port: 0 }
agents: { port: 0 }
acme_server:
  port: 0
  perspectives:
    - { name: paris, url: "https://127.0.0.1:${ports.paris}" }
    - { name: tokyo, url: "https://127.0.0.1:${ports.tokyo}" }
`;
  const gatehouse = await startGatehouse(t, { ...CA_SERVE, config });
  const identity = (name: string) => join(gatehouse.dataDir, 'perspectives', `${name}.json`);
  assert.equal(statSync(identity('paris')).mode & 0o777, 0o600);
  const ready = temporaryDirectory(t);
  let started = 0;
  const perspective = (name: keyof typeof ports, dns: string, who: string = name, bundle = identity(who)) => {
    const file = join(ready, `${name}-${started++}`);
    const listen = `127.0.0.1:${ports[name]}`;
    const options = ['--identity', bundle, '--listen', listen, '--resolver', dns, '--ready-file', file];
    return startCommand(t, file, ['ca', 'perspective', ...options]);
  };
  const set = async (quorum: number) => {
    const settings = [
      `validation.http_port=${httpPort}`,
      'validation.allowed_cidrs=["127.0.0.0/8"]',
      `validation.resolvers=["${here.address}"]`,
      `validation.perspectives_quorum=${quorum}`,
      'limits.failed_validations.count=100',
      'limits.failed_validations.per_seconds=3600',
    ];
    const exists = (await gatehouse.cli('profiles', 'show', 'far')).code === 0;
    return gatehouse.cli('profiles', exists ? 'change' : 'create', 'far', ...settings);
  };
  assert.match((await set(3)).stderr, /is more than the 2 perspectives there are/);
  assert.equal((await set(2)).code, 0);
  const far = ({ ready: { acme_directory } }: Pick<typeof gatehouse, 'ready'>) =>
    acme_directory.replace('/acme/directory', '/acme/profile/far/directory');
  client = await clientOf(far(gatehouse), gatehouse.ready.ca_root_file);
  let names = 0;
  /** The status of a new name's authorization, and what was wrong. */
  const validate = async (): Promise<string> => {
    const { json } = await client!.order([`n${names++}.shop.example`]);
    const { challenges } = (await client!.post(json.authorizations[0], '')).json;
    const http = challenges.find(({ type }: { type: string }) => type === 'http-01');
    await client!.post(http.url, {});
    for (;;) {
      const { status, challenges: after } = (await client!.post(json.authorizations[0], '')).json;
      if (status !== 'pending') return status === 'valid' ? status : after[0].error.detail;
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const paris = await perspective('paris', here.address);
  assert.match(await validate(), /from 1 of 2 other perspectives only, and 2 must see it; tokyo: cannot be asked/);
  const tokyo = await perspective('tokyo', here.address);
  assert.equal(await validate(), 'valid');
  await tokyo.stop();
  const other = await perspective('tokyo', elsewhere.address);
  assert.match(await validate(), /1 of 2 .*tokyo: DNS query|1 of 2 .*tokyo: \S+ has no address/);
  assert.equal((await set(1)).code, 0);
  assert.equal(await validate(), 'valid', 'one is enough where the profile says so');
  await paris.stop();
  await other.stop();
  // Another one's identity, although by the same CA, at the place of one.
  copyFileSync(identity('tokyo'), identity('paris'));
  await perspective('paris', here.address, 'paris');
  assert.match(await validate(), /paris: cannot be asked: it is not the perspective paris/);

  // The next start certifies both again, and the perspective takes that over the connection, without a restart.
  const carried = join(ready, 'carried.json');
  copyFileSync(identity('tokyo'), carried);
  await perspective('tokyo', here.address, 'tokyo', carried);
  const old = readFileSync(carried, 'utf8');
  await gatehouse.stop();
  const again = await startGatehouse(t, { ...CA_SERVE, config, dataDir: gatehouse.dataDir });
  while (readFileSync(carried, 'utf8') === old) await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(readFileSync(carried, 'utf8'), readFileSync(identity('tokyo'), 'utf8'));
  assert.equal(statSync(carried).mode & 0o777, 0o600);
  const { raw } = new X509Certificate(JSON.parse(readFileSync(carried, 'utf8')).certificate);
  assert.ok(raw.equals(await shownAt(ports.tokyo)), 'it is shown at once');
  client = await clientOf(far(again), again.ready.ca_root_file);
  assert.equal(await validate(), 'valid');
  assert.match((await again.cli('status')).stdout, /the perspective paris could not be given its certificate/);
});

/** The certificate of a TLS server, whoever may ask it. */
function shownAt(port: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate().raw);
      socket.destroy();
    });
    socket.once('error', reject);
  });
}

test('ca trust lets the programs of this machine trust the root, and --uninstall takes it away; ca rollover --root offers two chains', async (t) => {
  const gatehouse = await startGatehouse(t, {
    ...CA_SERVE,
    config: 'api: { port: 0 }\nagents: { port: 0 }\nacme_server: { port: 0 }\n',
  });
  const scratch = temporaryDirectory(t);
  // The trust store of a mount namespace of its own, so that the machine's stays as it is.
  const script = `set -e
mkdir ${scratch}/local ${scratch}/certs && cp -a /etc/ssl/certs/. ${scratch}/certs
mount --bind ${scratch}/local /usr/local/share/ca-certificates && mount --bind ${scratch}/certs /etc/ssl/certs
reach() { curl -fsS -o ${scratch}/answer '${gatehouse.ready.acme_directory}'; }
reach && exit 11
${ROOT}/bin/gatehouse ca trust --dry-run
reach && exit 12
${ROOT}/bin/gatehouse ca trust
reach || exit 13
${ROOT}/bin/gatehouse ca trust --uninstall
reach && exit 14
exit 0`;
  const env = { ...process.env, GATEHOUSE_DATA_DIR: gatehouse.dataDir };
  const said = execFileSync('unshare', ['-m', 'sh', '-c', script], { env, stdio: 'pipe' }).toString();
  assert.match(said, /would write \/usr\/local\/share\/ca-certificates\/gatehouse-[0-9a-f]{16}\.crt/);
  assert.match(said, /✓ remove .*\n✓ run update-ca-certificates/);

  const rolled = await gatehouse.cli('ca', 'rollover', '--root', '--json');
  assert.equal(rolled.code, 0, rolled.stderr);
  const list = JSON.parse((await gatehouse.cli('ca', 'list', '--json')).stdout) as { id: string; state: string }[];
  assert.equal(list.length, 5);
  assert.equal(readFileSync(gatehouse.ready.ca_root_file, 'utf8').match(/BEGIN CERTIFICATE/g)?.length, 2);
  const made = await gatehouse.cli(
    'profiles',
    'create',
    'open',
    'auth_mode=trust_authenticated',
    'trust_without_eab=true',
  );
  assert.equal(made.code, 0, made.stderr);
  const directory = gatehouse.ready.acme_directory.replace('/acme/directory', '/acme/profile/open/directory');
  const client = await clientOf(directory, gatehouse.ready.ca_root_file);
  const order = await client.order(['a.example.org']);
  const csr = createCertificationRequest(['a.example.org'], key()).toString('base64url');
  const { certificate } = (await client.post(order.json.finalize, { csr })).json;
  const first = await client.post(certificate, '');
  const alternate = /<([^>]+)>;rel="alternate"/.exec(String(first.headers.link))?.[1];
  const second = await client.post(alternate!, '');
  assert.equal(second.status, 200);
  assert.notEqual(second.text, first.text);
  const audit = await gatehouse.cli('audit', 'list', '--json');
  assert.match(audit.stdout, /ca_authority\.roll_over/);
});

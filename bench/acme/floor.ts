// The least that an order can cost: its signatures verified and made with bare node:crypto, and one durable commit.
// Printed as one JSON line, in microseconds of processor time, and of a clock on the wall for the commit, which waits for
// the disk.
import { createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

const directory = process.argv[2]!;
const ROUNDS = 2000;
const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const spki = publicKey.export({ format: 'der', type: 'spki' });
const message = Buffer.alloc(600, 7);
const p1363 = sign('sha256', message, { key: privateKey, dsaEncoding: 'ieee-p1363' });
const der = sign('sha256', message, privateKey);

function measure(work: () => void): { cpu: number; wall: number } {
  for (let i = 0; i < ROUNDS / 10; i++) work();
  const begin = performance.now();
  const before = process.cpuUsage();
  for (let i = 0; i < ROUNDS; i++) work();
  const { user, system } = process.cpuUsage(before);
  return { cpu: (user + system) / ROUNDS, wall: ((performance.now() - begin) * 1000) / ROUNDS };
}

const verifyJws = measure(() => verify('sha256', message, { key: publicKey, dsaEncoding: 'ieee-p1363' }, p1363));
const verifyCsr = measure(() =>
  verify('sha256', message, createPublicKey({ key: spki, format: 'der', type: 'spki' }), der),
);
const signLeaf = measure(() => sign('sha256', message, privateKey));
const database = new DatabaseSync(join(directory, 'floor.sqlite'));
database.exec(
  'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE entry (id INTEGER PRIMARY KEY, body BLOB)',
);
const insert = database.prepare('INSERT INTO entry (body) VALUES (?)');
const body = Buffer.alloc(1200, 1);
const commit = measure(() => insert.run(body));
console.log(
  JSON.stringify({
    verifyJws: verifyJws.cpu,
    verifyCsr: verifyCsr.cpu,
    signLeaf: signLeaf.cpu,
    commit: commit.cpu,
    commitWall: commit.wall,
  }),
);

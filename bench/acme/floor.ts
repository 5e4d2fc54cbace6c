// The least that an order can cost: its signatures verified and made with bare node:crypto, and one durable commit.
// Printed as one JSON line, in microseconds.
import { createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

const directory = process.argv[2]!;
const ROUNDS = 3000;
const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const spki = publicKey.export({ format: 'der', type: 'spki' });
const message = Buffer.alloc(600, 7);
const p1363 = sign('sha256', message, { key: privateKey, dsaEncoding: 'ieee-p1363' });
const der = sign('sha256', message, privateKey);

function measure(rounds: number, work: () => void): number {
  for (let i = 0; i < rounds / 10; i++) work();
  const begin = performance.now();
  for (let i = 0; i < rounds; i++) work();
  return ((performance.now() - begin) * 1000) / rounds;
}

const verifyJws = measure(ROUNDS, () =>
  verify('sha256', message, { key: publicKey, dsaEncoding: 'ieee-p1363' }, p1363),
);
const verifyCsr = measure(ROUNDS, () =>
  verify('sha256', message, createPublicKey({ key: spki, format: 'der', type: 'spki' }), der),
);
const signLeaf = measure(ROUNDS, () => sign('sha256', message, privateKey));
const database = new DatabaseSync(join(directory, 'floor.sqlite'));
database.exec(
  'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE entry (id INTEGER PRIMARY KEY, body BLOB)',
);
const insert = database.prepare('INSERT INTO entry (body) VALUES (?)');
const body = Buffer.alloc(1200, 1);
const commit = measure(ROUNDS, () => insert.run(body));
console.log(JSON.stringify({ verifyJws, verifyCsr, signLeaf, commit }));

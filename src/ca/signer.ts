import { spawn } from 'node:child_process';
import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { Fault } from '../base/index.ts';
import {
  algorithmOid,
  keyIdentifier,
  type SignatureAlgorithm,
  signatureAlgorithmOf,
  signBytes,
  verifyBytes,
} from '../x509/index.ts';

/** A signing key that may live elsewhere (PKCS#11, a KMS): it signs bytes and never shows itself. */
export interface Signer {
  /** Of the key: in the secret store, with a program of the configuration, or where nothing here can sign by it. */
  readonly place: 'here' | 'program' | 'elsewhere';
  readonly algorithm: SignatureAlgorithm;
  /** SubjectPublicKeyInfo in DER. */
  readonly spki: Buffer;
  readonly keyId: Buffer;
  sign(bytes: Uint8Array): Uint8Array | Promise<Uint8Array>;
}

/** Programs that sign, by the names that the configuration gives them. */
export type SignerCommands = Readonly<Record<string, readonly string[]>>;

export function createKeySigner(key: KeyObject): Signer {
  const spki = createPublicKey(key).export({ format: 'der', type: 'spki' });
  const algorithm = signatureAlgorithmOf(key);
  return {
    place: 'here',
    algorithm,
    spki,
    keyId: keyIdentifier(spki),
    sign: (bytes) => signBytes(algorithm, bytes, key),
  };
}

export const signerFromPkcs8 = (der: Uint8Array): Signer =>
  createKeySigner(createPrivateKey({ key: Buffer.from(der), format: 'der', type: 'pkcs8' }));

const SIGN_MS = 15_000;
const MOST_SIGNATURE = 2_048;

/**
 * A program that holds the key: it is given the algorithm as its last argument and the bytes on standard input, and
 * writes the signature (as X.509 carries it: DER for ECDSA) to standard output. What it answers is verified before use.
 */
export function createCommandSigner(name: string, command: readonly string[], publicKey: KeyObject): Signer {
  const spki = publicKey.export({ format: 'der', type: 'spki' });
  const algorithm = signatureAlgorithmOf(publicKey);
  return {
    place: 'program',
    algorithm,
    spki,
    keyId: keyIdentifier(spki),
    async sign(bytes) {
      const signature = await runSigner(name, [...command, algorithm], bytes);
      if (!verifyBytes(algorithmOid(algorithm), bytes, publicKey, signature))
        throw signerFailed(
          name,
          `answered ${signature.length} bytes that are no signature by the key of the certificate`,
        );
      return signature;
    },
  };
}

/** Of a certificate whose key is not here: it is in chains, and signs nothing. */
export function createAbsentSigner(publicKey: KeyObject, what: string): Signer {
  const spki = publicKey.export({ format: 'der', type: 'spki' });
  return {
    place: 'elsewhere',
    algorithm: signatureAlgorithmOf(publicKey),
    spki,
    keyId: keyIdentifier(spki),
    sign() {
      throw signerFailed(what, 'has its key elsewhere, so nothing can be signed by it here');
    },
  };
}

function runSigner(name: string, [program = '', ...rest]: readonly string[], input: Uint8Array): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, rest, { stdio: ['pipe', 'pipe', 'pipe'], timeout: SIGN_MS, killSignal: 'SIGKILL' });
    const out: Buffer[] = [];
    let length = 0;
    let words = '';
    child.stdout.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length > MOST_SIGNATURE) child.kill('SIGKILL');
      else out.push(chunk);
    });
    child.stderr.on('data', (chunk: Buffer) => {
      words = (words + chunk.toString()).slice(0, 500);
    });
    child.stdin.on('error', () => {});
    child.once('error', (error) => reject(signerFailed(name, `could not be started: ${error.message}`, error)));
    child.once('close', (code, signal) => {
      if (code === 0) return resolve(Buffer.concat(out));
      reject(signerFailed(name, `ended with ${signal ?? code}: ${words.trim()}`));
    });
    child.stdin.end(input);
  });
}

function signerFailed(name: string, why: string, cause?: unknown): Fault {
  const detail = `the signer ${name} ${why}`;
  return new Fault({ code: 'signer_failed', detail, party: 'operator', retry: 'backoff' }, cause);
}

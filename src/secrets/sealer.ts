import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { Fault } from '../base/index.ts';

/** Authenticated encryption of small secrets under the master key. */
export interface Sealer {
  /** `context` binds the envelope to its place: an envelope copied to another row does not open there. */
  seal(plain: Uint8Array, context: string): Uint8Array;
  /** Throws a `Fault` when the key is another one, or the envelope or its context was changed. */
  open(envelope: Uint8Array, context: string): Uint8Array;
  /** Whether it is sealed under the first master key. */
  isCurrent(envelope: Uint8Array): boolean;
}

// Envelope: version (1) | key id (4) | salt (16) | nonce (12) | tag (16) | ciphertext.
const VERSION = 1;
const KEY_ID_BYTES = 4;
const SALT_BYTES = 16;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const HEADER_BYTES = 1 + KEY_ID_BYTES + SALT_BYTES + NONCE_BYTES + TAG_BYTES;

/**
 * AES-256-GCM under a key derived for each envelope (HKDF-SHA-256 over a random salt), so the number of envelopes is
 * not bounded by the birthday limit of 96-bit nonces under one key. The first master key seals; every one of them
 * opens, which is how a master key is rotated without a pause.
 */
export function createSealer(masterKeys: readonly [Uint8Array, ...Uint8Array[]]): Sealer {
  const byId = new Map(masterKeys.map((key) => [keyId(key).toString('hex'), key]));
  return {
    seal(plain, context) {
      const master = masterKeys[0];
      const salt = randomBytes(SALT_BYTES);
      const nonce = randomBytes(NONCE_BYTES);
      const cipher = createCipheriv('aes-256-gcm', derive(master, salt), nonce);
      cipher.setAAD(Buffer.from(context, 'utf8'));
      const body = Buffer.concat([cipher.update(plain), cipher.final()]);
      return Buffer.concat([Buffer.of(VERSION), keyId(master), salt, nonce, cipher.getAuthTag(), body]);
    },
    isCurrent: (envelope) =>
      envelope[0] === VERSION && keyId(masterKeys[0]).equals(envelope.subarray(1, 1 + KEY_ID_BYTES)),
    open(envelope, context) {
      const bytes = Buffer.from(envelope.buffer, envelope.byteOffset, envelope.byteLength);
      if (bytes.length < HEADER_BYTES || bytes[0] !== VERSION) throw unreadable(context, 'is not an envelope of ours');
      let at = 1;
      const take = (count: number) => {
        at += count;
        return bytes.subarray(at - count, at);
      };
      const master = byId.get(take(KEY_ID_BYTES).toString('hex'));
      if (master === undefined) throw unreadable(context, 'was sealed with another master key');
      const decipher = createDecipheriv('aes-256-gcm', derive(master, take(SALT_BYTES)), take(NONCE_BYTES));
      decipher.setAAD(Buffer.from(context, 'utf8'));
      decipher.setAuthTag(take(TAG_BYTES));
      try {
        return Buffer.concat([decipher.update(bytes.subarray(at)), decipher.final()]);
      } catch {
        throw unreadable(context, 'was changed, or belongs to another place');
      }
    },
  };
}

function derive(master: Uint8Array, salt: Uint8Array): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', master, salt, 'gatehouse envelope v1', 32));
}

function keyId(master: Uint8Array): Buffer {
  return Buffer.from(hkdfSync('sha256', master, new Uint8Array(0), 'gatehouse master key id', KEY_ID_BYTES));
}

function unreadable(context: string, why: string): Fault {
  return new Fault({
    code: 'secret_unreadable',
    detail: `the secret ${context} ${why}`,
    party: 'secret-store',
    retry: 'never',
    advice:
      'start with the master key that was in use when it was written (master.key in the data directory, or GATEHOUSE_MASTER_KEY)',
  });
}

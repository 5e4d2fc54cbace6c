import type { KeyObject } from 'node:crypto';

export interface KeyDescription {
  readonly kind: 'rsa' | 'ec' | 'ed25519';
  /** `rsa2048`, `p256`, `p384`, `ed25519`. */
  readonly name: string;
  readonly bits: number;
}

const CURVES: Record<string, { name: string; bits: number }> = {
  prime256v1: { name: 'p256', bits: 256 },
  secp384r1: { name: 'p384', bits: 384 },
};

// All of a P-256 key's SubjectPublicKeyInfo before the point itself, uncompressed (RFC 5480 §2).
const P256 = Buffer.from('3059301306072a8648ce3d020106082a8648ce3d03010703420004', 'hex');

/** What kind of key it is, if it is one that certificates here may have. Asking the key costs more than a look at its `spki`. */
export function describeKey(key: KeyObject, spki?: Buffer): KeyDescription | undefined {
  if (spki?.length === P256.length + 64 && spki.subarray(0, P256.length).equals(P256))
    return { kind: 'ec', name: 'p256', bits: 256 };
  if (key.asymmetricKeyType === 'ed25519') return { kind: 'ed25519', name: 'ed25519', bits: 256 };
  if (key.asymmetricKeyType === 'ec') {
    const curve = CURVES[key.asymmetricKeyDetails?.namedCurve ?? ''];
    return curve && { kind: 'ec', ...curve };
  }
  if (key.asymmetricKeyType !== 'rsa') return undefined;
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  return { kind: 'rsa', name: `rsa${bits}`, bits };
}

const SMALL_PRIMES = primesBelow(752);
const PRODUCT = SMALL_PRIMES.reduce((product, prime) => product * BigInt(prime), 1n);

/**
 * ROCA (CVE-2017-15361): moduli of one vendor's library are powers of 65537 modulo each of these primes; by chance a
 * modulus is so once in 2^27 or more.
 */
const ROCA_PRIMES = SMALL_PRIMES.slice(1, 39);
const ROCA_RESIDUES = ROCA_PRIMES.map((prime) => {
  const residues = new Set<number>();
  for (let power = 1; !residues.has(power); power = (power * 65537) % prime) residues.add(power);
  return residues;
});

/** Why an RSA key is weak although it is long enough (CA/B BR §6.1.1.3), in words that follow "the key"; else undefined. */
export function weakness(key: KeyObject): string | undefined {
  if (key.asymmetricKeyType !== 'rsa') return undefined;
  const { publicExponent = 0n } = key.asymmetricKeyDetails ?? {};
  if (publicExponent < 3n || publicExponent % 2n === 0n || publicExponent >= 2n ** 256n) return 'has an unfit exponent';
  const { n = '' } = key.export({ format: 'jwk' });
  const modulus = BigInt(`0x${Buffer.from(n, 'base64url').toString('hex')}`);
  if (greatestCommonDivisor(modulus, PRODUCT) !== 1n) return 'has a small factor';
  if (ROCA_PRIMES.every((prime, index) => ROCA_RESIDUES[index]!.has(Number(modulus % BigInt(prime)))))
    return 'was made by a library with the ROCA weakness (CVE-2017-15361)';
  if (hasCloseFactors(modulus)) return 'has two factors so close that it can be factored at once (CVE-2022-26320)';
  return undefined;
}

/** Fermat's method, a hundred rounds (CA/B BR §6.1.1.3). */
function hasCloseFactors(n: bigint): boolean {
  let a = squareRoot(n);
  if (a * a < n) a++;
  for (let round = 0; round < 100; round++, a++) {
    const rest = a * a - n;
    const root = squareRoot(rest);
    if (root * root === rest) return true;
  }
  return false;
}

function squareRoot(n: bigint): bigint {
  if (n < 2n) return n;
  let x = 1n << BigInt(Math.ceil(n.toString(16).length * 2));
  for (;;) {
    const y = (x + n / x) >> 1n;
    if (y >= x) return x;
    x = y;
  }
}

function greatestCommonDivisor(a: bigint, b: bigint): bigint {
  let [x, y] = [a, b];
  while (y !== 0n) [x, y] = [y, x % y];
  return x;
}

function primesBelow(limit: number): number[] {
  const primes: number[] = [];
  for (let n = 2; n < limit; n++) if (primes.every((prime) => n % prime !== 0)) primes.push(n);
  return primes;
}

import { fewRandomBytes } from '../base/index.ts';
import { integerContent, type ParsedCertificate, writeSigned } from '../x509/index.ts';
import type { LintedBody } from './lint.ts';
import type { Signer } from './signer.ts';

/** A certificate of ours that signs others, with the means to do so. */
export interface Authority {
  readonly id: string;
  readonly kind: 'root' | 'intermediate';
  /** Whether it signs certificates; every one signs its lists. */
  readonly state: 'active' | 'retired';
  /** Another certificate for the key of one that came first. */
  readonly isAlternate: boolean;
  /** Made elsewhere: whoever trusts it was told so by others. */
  readonly isImported: boolean;
  readonly parentId?: string;
  readonly certificate: ParsedCertificate;
  readonly signer: Signer;
}

/** 127 random bits: unguessable (CA/B BR §7.1 asks for 64), positive, 16 bytes at most. */
export function newSerial(): Buffer {
  const bytes = fewRandomBytes(16);
  bytes[0]! &= 0x7f;
  return integerContent(bytes);
}

/** Signs what the lint has passed. Certificate in DER. */
export async function signCertificate(body: LintedBody, signer: Signer): Promise<Buffer> {
  return writeSigned(body.body, signer.algorithm, await signer.sign(body.body));
}

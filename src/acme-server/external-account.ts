import { createHmac, timingSafeEqual } from 'node:crypto';
import { jwkThumbprint } from '../acme/index.ts';
import { findEabKey } from '../store/acme-profiles.ts';
import type { KeyCall } from './call.ts';
import { decodeBase64url, parseObject } from './jws.ts';
import { Refusal } from './refusal.ts';

const MACS: Record<string, string> = { HS256: 'sha256', HS384: 'sha384', HS512: 'sha512' };

export const eabSecretPath = (keyId: string): string => `acme/eab/${keyId}`;

/**
 * Verifies an external account binding (RFC 8555 §7.3.4); answers the id of its key, or undefined when there is none
 * and none is required. Every wrong binding gets the same answer, so that key ids cannot be found out by trying.
 */
export async function verifyExternalBinding(call: KeyCall, binding: unknown): Promise<string | undefined> {
  if (binding === undefined) {
    if (!call.profile.settings.eab_required) return undefined;
    throw new Refusal(
      'externalAccountRequired',
      'this profile needs an external account binding: ask its operator for a key id and HMAC key',
    );
  }
  const { alg, kid, signed, mac } = readBinding(call, binding);
  const row = await findEabKey(call.services.store.db, kid);
  const secret = row && (await call.services.secrets.get(eabSecretPath(kid)));
  const expected = createHmac(MACS[alg]!, secret ?? Buffer.alloc(32))
    .update(signed)
    .digest();
  const good = mac.length === expected.length && timingSafeEqual(mac, expected);
  if (row === undefined || secret === undefined || !good || row.profile_id !== call.profile.id)
    throw new Refusal('unauthorized', 'the external account binding is not by a key of this profile');
  // From here on the client has shown that it holds the key, so it may be told what is wrong with it.
  if (row.revoked_at !== null) throw new Refusal('unauthorized', 'this external account key was revoked');
  if (row.expires_at !== null && row.expires_at <= call.now)
    throw new Refusal('unauthorized', 'this external account key has expired');
  if (row.account_id !== null)
    throw new Refusal('unauthorized', 'the external account key was used for another account already');
  return row.id;
}

function readBinding(call: KeyCall, binding: unknown): { alg: string; kid: string; signed: string; mac: Buffer } {
  const wrong = (why: string) => new Refusal('malformed', `externalAccountBinding ${why}`);
  if (typeof binding !== 'object' || binding === null) throw wrong('is not a JWS');
  const members = binding as Record<string, unknown>;
  const head = decodeBase64url(members.protected);
  const payload = decodeBase64url(members.payload);
  const mac = decodeBase64url(members.signature);
  if (
    head === undefined ||
    payload === undefined ||
    mac === undefined ||
    'header' in members ||
    'signatures' in members
  )
    throw wrong('is not a flattened JWS');
  const { alg, kid, url, nonce, crit, b64 } = parseObject(head, 'the header of externalAccountBinding');
  if (typeof alg !== 'string' || !Object.hasOwn(MACS, alg))
    throw new Refusal('badSignatureAlgorithm', 'an external account binding is made with HS256, HS384 or HS512', {
      algorithms: Object.keys(MACS),
    });
  if (nonce !== undefined || crit !== undefined || b64 !== undefined) throw wrong('has a header it must not have');
  if (typeof kid !== 'string' || kid.length > 200 || kid.includes('\0')) throw wrong('has no kid');
  if (url !== call.jws.header.url) throw wrong('is for another url');
  let thumbprint: string | undefined;
  try {
    thumbprint = jwkThumbprint(parseObject(payload, 'the payload of externalAccountBinding') as never);
  } catch {}
  if (thumbprint !== call.key.thumbprint) throw wrong('is for another account key');
  return { alg, kid, signed: `${members.protected as string}.${members.payload as string}`, mac };
}

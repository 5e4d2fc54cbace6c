import type { Identifier } from '../acme/index.ts';
import { findOrder } from '../store/acme-orders.ts';
import { type CertificateRow, claimReplacedBy, findCertificate } from '../store/ca.ts';
import type { Db } from '../store/index.ts';
import { parseCertificate } from '../x509/index.ts';
import type { AccountCall } from './call.ts';
import { decodeBase64url } from './jws.ts';
import { loadOrder } from './orders.ts';
import { Refusal } from './refusal.ts';
import { orderStatus } from './status.ts';

export type Replaced = Pick<CertificateRow, 'serial' | 'replaced_by'>;

/** The serial number (hexadecimal) and key identifier of an ARI certificate identifier (RFC 9773 §4.1). */
export function parseCertificateId(text: unknown): { keyId: Buffer; serial: string } {
  const [keyId, serial, ...more] =
    typeof text === 'string' && text.length < 200 ? text.split('.').map(decodeBase64url) : [];
  if (!keyId?.length || !serial?.length || more.length > 0)
    throw new Refusal('malformed', 'this is no certificate identifier of RFC 9773 §4.1');
  return { keyId, serial: serial.toString('hex') };
}

/** The certificate that a new order says it replaces, with every rule of RFC 9773 §5. */
export async function findReplaced(
  call: AccountCall,
  replaces: unknown,
  identifiers: readonly Identifier[],
): Promise<Replaced | undefined> {
  if (replaces === undefined) return undefined;
  const { keyId, serial } = parseCertificateId(replaces);
  const row = await findCertificate(call.services.store.db, serial);
  const parsed = row && parseCertificate(row.certificate);
  if (row === undefined || parsed === undefined || !parsed.authorityKeyIdentifier?.equals(keyId))
    throw new Refusal('malformed', 'replaces names no certificate of this CA');
  if (row.account_id !== call.account.id)
    throw new Refusal('unauthorized', 'the certificate to be replaced belongs to another account');
  const names = JSON.parse(row.names) as string[];
  if (!identifiers.some(({ value }) => names.includes(value)))
    throw new Refusal('malformed', 'the order has no identifier of the certificate that it would replace');
  if (row.replaced_by !== null && !(await cameToNothing(call, row.replaced_by))) throw alreadyReplaced();
  return row;
}

/** RFC 9773 §5: an order that is invalid replaces nothing, so another may. */
async function cameToNothing({ services: { store }, now }: AccountCall, orderId: string): Promise<boolean> {
  const row = await findOrder(store.db, orderId);
  if (row === undefined) return false;
  const { authorizations } = await loadOrder(store.db, row);
  return orderStatus(row, authorizations, now) === 'invalid';
}

export async function claimReplacement(tx: Db, replaced: Replaced, orderId: string): Promise<void> {
  if (!(await claimReplacedBy(tx, replaced.serial, orderId, replaced.replaced_by))) throw alreadyReplaced();
}

const alreadyReplaced = (): Refusal =>
  new Refusal('alreadyReplaced', 'another order has replaced this certificate already, or is about to');

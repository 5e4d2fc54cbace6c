import { createPublicKey } from 'node:crypto';
import { Fault } from '../base/index.ts';
import type { SecretStore } from '../secrets/index.ts';
import type { AuthorityRow } from '../store/ca.ts';
import { parseCertificate } from '../x509/index.ts';
import {
  createAbsentSigner,
  createCommandSigner,
  type Signer,
  type SignerCommands,
  signerFromPkcs8,
} from './signer.ts';

/** Where an authority's key is: here in PKCS #8, with a program that the configuration names, or nowhere near. */
export type KeyReference =
  | { readonly kind: 'key'; readonly pkcs8: Uint8Array }
  | { readonly kind: 'command'; readonly name: string }
  | { readonly kind: 'absent' };

export const authorityKeyPath = (id: string): string => `ca/${id}/key`;

export async function putKeyReference(secrets: SecretStore, id: string, reference: KeyReference): Promise<void> {
  // A PKCS #8 structure begins with 0x30, so what begins with a brace is none.
  const bytes = reference.kind === 'key' ? reference.pkcs8 : Buffer.from(JSON.stringify(reference));
  await secrets.put(authorityKeyPath(id), bytes);
}

export async function openSigner(secrets: SecretStore, row: AuthorityRow, commands: SignerCommands): Promise<Signer> {
  const kept = await secrets.get(authorityKeyPath(row.id));
  if (kept === undefined)
    throw new Fault({
      code: 'ca_key_missing',
      detail: `the key of the CA's ${row.kind} ${row.id} is not in the secret store`,
      party: 'secret-store',
      retry: 'never',
      advice: 'restore the secret store from the backup that goes with this database',
    });
  if (kept[0] !== 0x7b) return signerFromPkcs8(kept);
  const { spki } = parseCertificate(row.certificate);
  return signerOf(
    JSON.parse(Buffer.from(kept).toString()) as KeyReference,
    createPublicKey({ key: spki, format: 'der', type: 'spki' }),
    commands,
  );
}

export function signerOf(
  reference: KeyReference,
  publicKey: ReturnType<typeof createPublicKey>,
  commands: SignerCommands,
): Signer {
  if (reference.kind === 'key') return signerFromPkcs8(reference.pkcs8);
  if (reference.kind === 'absent') return createAbsentSigner(publicKey, 'this authority');
  const command = commands[reference.name];
  if (command !== undefined && command.length > 0) return createCommandSigner(reference.name, command, publicKey);
  throw new Fault({
    code: 'ca_signer_missing',
    detail: `the CA's key is with the signer ${reference.name}, which the configuration does not name (ca.signers)`,
    party: 'operator',
    retry: 'never',
  });
}

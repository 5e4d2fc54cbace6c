import type { Answer } from 'dns-packet';
import { dns01Value, keyAuthorization } from '../../acme/index.ts';
import { Refusal } from '../refusal.ts';
import { lookUp } from './dns-view.ts';
import type { Validator } from './validator.ts';

/** RFC 8555 §8.4. */
export const validateDns01: Validator = (task, signal) =>
  requireTxt(`_acme-challenge.${task.identifier.value}`, task, signal);

/** A TXT record at `name` (CNAMEs followed) must be the digest of the key authorization; others may be beside it. */
export async function requireTxt(name: string, task: Parameters<Validator>[0], signal: AbortSignal): Promise<void> {
  const { records, path } = await lookUp(name, 'TXT', task.policy, signal);
  const expected = dns01Value(keyAuthorization(task.token!, task.thumbprint));
  if (records.some((record) => txtOf(record) === expected)) return;
  const where = path.length > 1 ? `${name} (by CNAME at ${path.at(-1)})` : name;
  throw new Refusal(
    records.length === 0 ? 'dns' : 'unauthorized',
    records.length === 0
      ? `there is no TXT record at ${where}`
      : `none of the ${records.length} TXT records at ${where} is ${expected}`,
  );
}

/** The character strings of a record, joined (RFC 8555 §8.4 leaves one; long ones come in parts). */
export function txtOf(record: Answer): string {
  if (record.type !== 'TXT') return '';
  const { data } = record;
  return (Array.isArray(data) ? data : [data]).map((part) => part.toString()).join('');
}

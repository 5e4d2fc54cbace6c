import { isIPv4 } from 'node:net';
import { isWildcard } from '../x509/index.ts';
import { autoDomain, isApex, isLocal, proofName, proofValue } from './names.ts';
import type { DomainSettings } from './ports.ts';

export interface ExpectedRecord {
  readonly type: 'A' | 'AAAA' | 'CNAME' | 'TXT';
  readonly name: string;
  readonly value: string;
  /** In master file format (RFC 1035 §5.1). */
  readonly line: string;
  readonly purpose: string;
}

/** What a domain's zone should hold: the records that bring its traffic here, and the one that proves the claim. */
export function expectedRecords(
  domain: { name: string; appId: string; proofToken: string; kind: 'auto' | 'custom' },
  settings: DomainSettings,
): ExpectedRecord[] {
  if (isLocal(domain.name)) return [];
  const records: ExpectedRecord[] = [];
  const add = (type: ExpectedRecord['type'], name: string, value: string, purpose: string) => {
    const written = type === 'TXT' ? `"${value}"` : type === 'CNAME' ? `${value}.` : value;
    records.push({ type, name, value, line: `${name}. 300 IN ${type} ${written}`, purpose });
  };
  const target = settings.baseDomain && autoDomain(domain.appId, settings.baseDomain);
  // A CNAME cannot stand beside the SOA and NS records of an apex, and nobody's DNS knows names under localhost, so there
  // it is addresses.
  const mayAlias = isWildcard(domain.name) || !isApex(domain.name);
  if (domain.kind === 'custom' && target !== undefined && !isLocal(target) && mayAlias)
    add('CNAME', domain.name, target, 'brings its traffic here, and proves the claim');
  else
    for (const address of settings.addresses)
      add(isIPv4(address) ? 'A' : 'AAAA', domain.name, address, 'brings its traffic here');
  if (domain.kind === 'custom')
    add('TXT', proofName(domain.name), proofValue(domain.proofToken), 'proves the claim before its traffic moves');
  return records;
}

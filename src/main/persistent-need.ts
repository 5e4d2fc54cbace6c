import type { PersistentNeed } from '../solvers/dns/index.ts';
import { namesProvenBy } from '../store/certificates.ts';
import type { Store } from '../store/index.ts';
import { directoryOfAccount } from '../store/issuer-accounts.ts';

/** Records of dns-persist-01 stay while a certificate is, or may be, proved by them, and the account is ours. */
export function createPersistentNeed({ db }: Store): PersistentNeed {
  return {
    async ofDomain(domain) {
      const wildcard = `*.${domain}`;
      const names = await namesProvenBy(db, 'dns-persist-01', [domain, wildcard]);
      return names.includes(wildcard) ? 'wildcard' : names.length > 0 ? 'name' : 'nothing';
    },
    directoryOfAccount: (url) => directoryOfAccount(db, url),
  };
}

import { writeFileSync } from 'node:fs';
import type { Authority, CertificateAuthority } from '../ca/index.ts';
import type { AuthorityView, HierarchyPort } from '../control/index.ts';
import { pemOf } from '../x509/index.ts';

const view = ({ id, kind, state, certificate }: Authority): AuthorityView => ({
  id,
  kind,
  state,
  notAfter: certificate.notAfter,
  pem: pemOf('CERTIFICATE', certificate.der),
});

/** The authorities as people may change them; the file of roots follows. */
export function hierarchyOf(ca: CertificateAuthority, rootFile: string): HierarchyPort {
  const changed = (authority: Authority): AuthorityView => {
    writeFileSync(rootFile, ca.rootPem());
    return view(authority);
  };
  return {
    list: () => ca.authorities().map(view),
    rollOver: async (options) => changed(await ca.rollOver(options)),
    import: async (input) => changed(await ca.import(input)),
  };
}

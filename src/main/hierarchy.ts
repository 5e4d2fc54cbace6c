import type { Authority, CertificateAuthority } from '../ca/index.ts';
import type { AuthorityView, HierarchyPort } from '../control/index.ts';
import { pemOf } from '../x509/index.ts';
import type { Perspectives } from './perspective-renewal.ts';

const view = ({ id, kind, state, certificate }: Authority): AuthorityView => ({
  id,
  kind,
  state,
  notAfter: certificate.notAfter,
  pem: pemOf('CERTIFICATE', certificate.der),
});

/** The authorities as people may change them. */
export function hierarchyOf(ca: CertificateAuthority, perspectives: Perspectives): HierarchyPort {
  return {
    list: () => ca.authorities().map(view),
    rollOver: async (options, actor) => view(await ca.rollOver(options, actor)),
    import: async (input, actor) => view(await ca.import(input, actor)),
    findings: () => [...ca.findings(), ...perspectives.findings()],
  };
}

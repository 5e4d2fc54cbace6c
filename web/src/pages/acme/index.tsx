import { Redirect, Route, Switch } from 'wouter';
import { Gate } from '../../shell/console.tsx';
import { CertificatePage } from './certificate.tsx';
import { CertificateList } from './certificates.tsx';
import { IssuerList } from './issuers.tsx';

export const ACME_TABS = [
  { path: '/certificates', title: 'Certificates' },
  { path: '/issuers', title: 'Issuers' },
];

export default function Acme() {
  return (
    <Gate anyOf={['system.acme.read']}>
      <Switch>
        <Route path="/certificates/:id">{({ id }) => <CertificatePage id={id} />}</Route>
        <Route path="/certificates" component={CertificateList} />
        <Route path="/issuers" component={IssuerList} />
        <Route>
          <Redirect to="/certificates" replace />
        </Route>
      </Switch>
    </Gate>
  );
}

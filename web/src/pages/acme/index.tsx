import { Redirect, Route, Switch } from 'wouter';
import { Gate } from '../../shell/console.tsx';
import { AccountPage } from './account.tsx';
import { Accounts } from './accounts.tsx';
import { CertificatePage } from './certificate.tsx';
import { CertificateList } from './certificates.tsx';
import { DnsCredentials } from './dns-credentials.tsx';
import { IssuerList } from './issuers.tsx';
import { Profiles } from './profiles.tsx';

export default function Acme() {
  return (
    <Gate anyOf={['system.acme.read']}>
      <Switch>
        <Route path="/certificates/:id">{({ id }) => <CertificatePage id={id} />}</Route>
        <Route path="/certificates" component={CertificateList} />
        <Route path="/issuers" component={IssuerList} />
        <Route path="/dns-credentials" component={DnsCredentials} />
        <Route path="/profiles" component={Profiles} />
        <Route path="/accounts/:id">{({ id }) => <AccountPage id={id} />}</Route>
        <Route path="/accounts" component={Accounts} />
        <Route>
          <Redirect to="/certificates" replace />
        </Route>
      </Switch>
    </Gate>
  );
}

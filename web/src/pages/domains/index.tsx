import { Route, Switch } from 'wouter';
import { Gate } from '../../shell/console.tsx';
import { DomainPage } from './domain.tsx';
import { DomainList } from './list.tsx';

export default function Domains() {
  return (
    <Gate anyOf={['apps.read']}>
      <Switch>
        <Route path="/:app/:domain">
          {({ app, domain }) => <DomainPage app={app} domain={decodeURIComponent(domain)} />}
        </Route>
        <Route component={DomainList} />
      </Switch>
    </Gate>
  );
}

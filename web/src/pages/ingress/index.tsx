import { Redirect, Route, Switch } from 'wouter';
import { Gate } from '../../shell/console.tsx';
import { Page, Tabs } from '../../shell/page.tsx';
import { Expose } from './expose.tsx';
import { RouteMonitor } from './routes.tsx';

const TABS = [
  { path: '/routes', title: 'Routes' },
  { path: '/expose', title: 'Expose service' },
];

/** Two tabs, each behind its own permission; who has neither is told which to ask for. */
export default function Ingress() {
  return (
    <Gate anyOf={['system.ingress.read', 'system.ingress.manage']}>
      <Page title="Ingress" lead="Services that are public, and the way to make one so.">
        <Tabs label="Ingress" tabs={TABS} />
        <Switch>
          <Route path="/routes">
            <Gate anyOf={['system.ingress.read']}>
              <RouteMonitor />
            </Gate>
          </Route>
          <Route path="/expose">
            <Gate anyOf={['system.ingress.manage']}>
              <Expose />
            </Gate>
          </Route>
          <Route>
            <Redirect to="/routes" replace />
          </Route>
        </Switch>
      </Page>
    </Gate>
  );
}

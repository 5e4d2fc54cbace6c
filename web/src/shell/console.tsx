import { lazy, type ReactNode, Suspense } from 'react';
import { Redirect, Route, Switch } from 'wouter';
import { useLive } from '../api/live.ts';
import { SessionProvider, useSession, useSessionQuery } from '../api/session.tsx';
import { Empty, Failure, Loading } from '../components/states.tsx';
import { Boundary } from './boundary.tsx';
import { Navigation } from './navigation.tsx';
import { SignIn } from './sign-in.tsx';

// Each place is a file of its own, loaded when it is gone to, so that the first page stays small.
const Domains = lazy(() => import('../pages/domains/index.tsx'));
const Overview = lazy(() => import('../pages/overview/index.tsx'));
const Audit = lazy(() => import('../pages/audit/index.tsx'));
const Ingress = lazy(() => import('../pages/ingress/index.tsx'));
const Missions = lazy(() => import('../pages/missions/index.tsx'));
const Network = lazy(() => import('../pages/network/index.tsx'));
const Settings = lazy(() => import('../pages/settings/index.tsx'));
const Tokens = lazy(() => import('../pages/tokens/index.tsx'));
const Acme = lazy(() => import('../pages/acme/index.tsx'));

export function Console() {
  const session = useSessionQuery();
  if (session.data !== undefined)
    return (
      <SessionProvider value={session.data}>
        <SignedIn />
      </SessionProvider>
    );
  if (session.error?.status === 401) return <SignIn />;
  if (session.error !== null)
    return (
      <main className="sign-in">
        <Failure problem={session.error} retry={() => void session.refetch()} />
      </main>
    );
  return <Loading what="Signing in" />;
}

function SignedIn() {
  const liveness = useLive();
  return (
    <>
      <a className="skip" href="#content">
        Skip to content
      </a>
      <div className="shell">
        <Navigation />
        <div>
          {liveness === 'stale' && (
            <div className="stale" role="status">
              Gatehouse is not answering: what you see may be old. Trying again.
            </div>
          )}
          <main className="shell-main" id="content" tabIndex={-1}>
            <Boundary>
              <Suspense fallback={<Loading />}>
                <Switch>
                  <Route path="/app" component={Overview} />
                  <Route path="/app/domains" component={Domains} nest />
                  <Route path="/app/system/acme" component={Acme} nest />
                  <Route path="/app/system/ingress" component={Ingress} nest />
                  <Route path="/app/system/network" component={Network} nest />
                  <Route path="/app/missions" component={Missions} nest />
                  <Route path="/app/audit" component={Audit} />
                  <Route path="/app/tokens" component={Tokens} />
                  <Route path="/app/settings" component={Settings} />
                  <Route path="/">
                    <Redirect to="/app" replace />
                  </Route>
                  <Route>
                    <Empty title="There is no such page" />
                  </Route>
                </Switch>
              </Suspense>
            </Boundary>
          </main>
        </div>
      </div>
    </>
  );
}

/** Children for those who hold one of the permissions; for others, which one to ask for. */
export function Gate({ anyOf, children }: { anyOf: readonly string[]; children: ReactNode }) {
  const { permissions } = useSession();
  if (anyOf.some((permission) => permissions.includes(permission))) return children;
  return (
    <Empty title="You may not see this">
      <p>
        Ask somebody who manages tokens for {anyOf.length > 1 ? 'one of these permissions' : 'this permission'}:{' '}
        {anyOf.map((permission, index) => (
          <span key={permission}>
            {index > 0 && ', '}
            <code>{permission}</code>
          </span>
        ))}
      </p>
    </Empty>
  );
}

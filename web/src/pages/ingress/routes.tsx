import { Link } from 'wouter';
import type { IngressRoute } from '../../api/documents.ts';
import { useList } from '../../api/hooks.ts';
import { useFilter } from '../../components/filter.ts';
import { Field } from '../../components/form.tsx';
import { Empty, Failure, Loading } from '../../components/states.tsx';
import { StagingMark, Status } from '../../components/status.tsx';
import { Time } from '../../components/time.tsx';

const DAY = 86_400_000;

/** Read-only by design: what is here is derived from domains and exposures, and published from the same source. */
export function RouteMonitor() {
  const [filter, change] = useFilter();
  const routes = useList<IngressRoute>('/system/ingress_routes', { prefix: filter('host') }, 100);
  return (
    <>
      <div className="toolbar">
        <div className="grow">
          <Field label="Host begins with" value={filter('host')} onChange={(value) => change('host', value)} />
        </div>
      </div>
      {routes.error !== null && routes.rows.length === 0 && (
        <Failure problem={routes.error} retry={() => void routes.refetch()} />
      )}
      {routes.isPending && <Loading />}
      {routes.isSuccess && routes.rows.length === 0 && <Empty title="No route is published" />}
      {routes.rows.map((route) => (
        <RouteCard key={route.id} route={route} />
      ))}
      {routes.hasNextPage && (
        <button type="button" className="button" onClick={() => void routes.fetchNextPage()}>
          Show more
        </button>
      )}
    </>
  );
}

function RouteCard({ route }: { route: IngressRoute }) {
  const { certificate } = route;
  const served = certificate?.served ?? null;
  return (
    <section className="card">
      <header>
        <h2 className="mono">{route.rule}</h2>
        <span className="actions">
          {certificate !== null && <Status word={certificate.status} />}
          <span className={`pill ${route.live ? 'good' : 'warn'}`}>{route.live ? 'live' : 'not live yet'}</span>
        </span>
      </header>
      <dl className="facts">
        <dt>From</dt>
        <dd>{route.source}</dd>
        {served !== null && (
          <>
            <dt>Issuer</dt>
            <dd>
              {served.issuer_name} {served.staging && <StagingMark />}
            </dd>
            <dt>Ends</dt>
            <dd>
              <Time at={served.not_after} /> <EndingSoon notBefore={served.not_before} notAfter={served.not_after} />
            </dd>
          </>
        )}
        {certificate !== null && (
          <>
            <dt>Certificate</dt>
            <dd>
              <Link href={`~/app/system/acme/certificates/${certificate.id}`}>{certificate.names.join(', ')}</Link>
            </dd>
          </>
        )}
        <dt>Delivery</dt>
        <dd>
          {route.delivery.map(({ publisher, state, problem }) => (
            <div key={publisher}>
              {publisher}: {state === 'seen' ? 'seen serving' : state}
              {problem !== null && <span className="form-error"> {problem}</span>}
            </div>
          ))}
        </dd>
      </dl>
      <details>
        <summary>
          {route.routers.length} {route.routers.length === 1 ? 'router' : 'routers'}
        </summary>
        <table className="rows">
          <thead>
            <tr>
              <th scope="col">Router</th>
              <th scope="col">Path</th>
              <th scope="col">Backend</th>
              <th scope="col">Entry point</th>
            </tr>
          </thead>
          <tbody>
            {route.routers.map((router) => (
              <tr key={router.name}>
                <td data-label="Router" className="mono">
                  {router.name}
                </td>
                <td data-label="Path" className="mono">
                  {router.path}
                </td>
                <td data-label="Backend" className="mono">
                  {router.backend}
                </td>
                <td data-label="Entry point">{router.entrypoint}</td>
              </tr>
            ))}
          </tbody>
        </table>
        <p>
          {route.public_urls.map((url) => (
            <a key={url} href={url} target="_blank" rel="noreferrer">
              {url}
            </a>
          ))}
        </p>
      </details>
    </section>
  );
}

/** Under 30 days or under a third of its life, whichever is less: short-lived ones are not always ending. */
function EndingSoon({ notBefore, notAfter }: { notBefore: string; notAfter: string }) {
  const end = Date.parse(notAfter);
  const left = end - Date.now();
  if (left > Math.min(30 * DAY, (end - Date.parse(notBefore)) / 3)) return null;
  return <span className="pill warn">{Math.max(0, Math.floor(left / DAY))} days left</span>;
}

import { Link } from 'wouter';
import type { IngressRoute } from '../../api/documents.ts';
import { useList } from '../../api/hooks.ts';
import { useFilter } from '../../components/filter.ts';
import { Field } from '../../components/form.tsx';
import { Empty, Failure, Loading } from '../../components/states.tsx';
import { StagingMark, Status } from '../../components/status.tsx';
import { Time } from '../../components/time.tsx';
import { VirtualList } from '../../components/virtual-list.tsx';

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
      {routes.rows.length > 0 && (
        <VirtualList
          label="Routes"
          rows={routes.rows}
          rowKey={(row) => row.id}
          columns="minmax(0, 2.2fr) 104px minmax(0, 1.3fr) minmax(0, 1.1fr) minmax(0, 1.1fr)"
          head={['Rule', 'Status', 'Issuer', 'Ends', 'Delivery']}
          more={routes.hasNextPage ? () => void routes.fetchNextPage() : undefined}
          render={(route) => <RouteRow route={route} />}
          detail={{
            summary: ({ routers }) => `${routers.length} ${routers.length === 1 ? 'router' : 'routers'}`,
            render: (route) => <RouteDetail route={route} />,
          }}
        />
      )}
    </>
  );
}

function RouteRow({ route }: { route: IngressRoute }) {
  const served = route.certificate?.served ?? null;
  return (
    <>
      <span className="mono" title={route.rule}>
        {route.rule}
      </span>
      <Status word={route.certificate?.status ?? (route.live ? 'live' : 'pending')} />
      <span className="narrow-hide" title={served?.issuer_name ?? ''}>
        {served?.staging === true && <StagingMark />} {served?.issuer_name ?? '–'}
      </span>
      <span className="narrow-hide">
        {served === null ? (
          '–'
        ) : (
          <>
            <Time at={served.not_after} /> <EndingSoon notBefore={served.not_before} notAfter={served.not_after} />
          </>
        )}
      </span>
      <span className="narrow-hide">
        <Delivered route={route} />
      </span>
    </>
  );
}

const DELIVERY = { wanted: 'not there yet', delivered: 'delivered', seen: 'seen serving' } as const;

function Delivered({ route }: { route: IngressRoute }) {
  const behind = route.delivery.find(({ state, problem }) => problem !== null || state === 'wanted');
  if (behind !== undefined) return <span className="pill warn">{behind.publisher} not yet</span>;
  const seen = route.delivery.length > 0 && route.delivery.every(({ state }) => state === 'seen');
  return <span className="pill good">{seen ? 'seen serving' : 'delivered'}</span>;
}

function RouteDetail({ route }: { route: IngressRoute }) {
  const { certificate } = route;
  return (
    <>
      <dl className="facts">
        <dt>From</dt>
        <dd>{route.source}</dd>
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
          {route.delivery.map(({ publisher, state, at, problem }) => (
            <div key={publisher}>
              {publisher}: {DELIVERY[state]} <Time at={at} />
              {problem !== null && <span className="form-error"> {problem}</span>}
            </div>
          ))}
        </dd>
        <dt>Public</dt>
        <dd>
          {route.public_urls.map((url) => (
            <div key={url}>
              <a href={url} target="_blank" rel="noreferrer">
                {url}
              </a>
            </div>
          ))}
        </dd>
      </dl>
      <table className="rows dense">
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
    </>
  );
}

/** Under 30 days or under a third of its life, whichever is less: short-lived ones are not always ending. */
function EndingSoon({ notBefore, notAfter }: { notBefore: string; notAfter: string }) {
  const end = Date.parse(notAfter);
  const left = end - Date.now();
  if (left > Math.min(30 * DAY, (end - Date.parse(notBefore)) / 3)) return null;
  return <span className="pill warn">{Math.max(0, Math.floor(left / DAY))} days left</span>;
}

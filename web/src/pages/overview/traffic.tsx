import type { SystemStatus } from '../../api/documents.ts';
import { Sparkline } from '../../components/sparkline.tsx';

type Edge = SystemStatus['edge'];

const none = <p className="quiet">The edge has not reported yet.</p>;
const rate = (value: number | undefined) => (value ?? 0).toLocaleString('en', { maximumFractionDigits: 1 });

/** The last five minutes of our own edge. */
export function Traffic({ edge }: { edge: Edge }) {
  if (edge === null) return none;
  const { points } = edge;
  const last = points.at(-1);
  return (
    <>
      <div className="lines">
        <Line title="requests a second" values={points.map((point) => point.requests_per_second)} />
        <Line title="handshakes a second" values={points.map((point) => point.handshakes_per_second)} />
        <Line title="errors a second" values={points.map((point) => point.errors_per_second)} tone="bad" />
      </div>
      <p className="quiet">
        {edge.workers} {edge.workers === 1 ? 'worker' : 'workers'}, {edge.open_connections.toLocaleString('en')} open
        connections, {edge.certificates.toLocaleString('en')} certificates
        {last === undefined && '; rates are known in a few seconds'}
      </p>
    </>
  );
}

function Line({ title, values, tone = 'accent' }: { title: string; values: readonly number[]; tone?: string }) {
  return (
    <div>
      <div className="between">
        <span className="quiet">{title}</span>
        <strong className="number">{rate(values.at(-1))}</strong>
      </div>
      <Sparkline values={values} label={title} tone={tone} />
    </div>
  );
}

/** How clients speak TLS to us: what could be switched off, and what is gained by resumption. */
export function Handshakes({ edge }: { edge: Edge }) {
  if (edge === null) return none;
  const all = edge.handshakes.reduce((sum, { count }) => sum + count, 0);
  if (all === 0) return <p className="quiet">No handshake yet.</p>;
  const rows = edge.handshakes.toSorted((a, b) => b.count - a.count);
  return (
    <>
      <table className="rows dense">
        <thead>
          <tr>
            <th scope="col">Version</th>
            <th scope="col">Kind</th>
            <th scope="col">Key exchange</th>
            <th scope="col">Share</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ version, kind, group, count }) => (
            <tr key={`${version} ${kind} ${group}`}>
              <td data-label="Version">{version}</td>
              <td data-label="Kind">{kind}</td>
              <td data-label="Key exchange">{group || '–'}</td>
              <td data-label="Share" className="number">
                {((count / all) * 100).toFixed(count === all ? 0 : 1)} %
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <p className="quiet">
        {all.toLocaleString('en')} completed and {edge.handshakes_failed.toLocaleString('en')} refused or failed since
        the workers started.
      </p>
    </>
  );
}

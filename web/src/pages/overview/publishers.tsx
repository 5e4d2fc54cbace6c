import type { SystemStatus } from '../../api/documents.ts';
import { Time } from '../../components/time.tsx';

/** Where routes and certificates go, and how far each place is. */
export function Publishers({ publishers }: { publishers: SystemStatus['publishers'] }) {
  if (publishers.length === 0) return <p className="quiet">There is none.</p>;
  return (
    <table className="rows dense">
      <thead>
        <tr>
          <th scope="col">Place</th>
          <th scope="col">State</th>
          <th scope="col">Up to date</th>
        </tr>
      </thead>
      <tbody>
        {publishers.map(({ name, pending, problem, up_to_date_at }) => (
          <tr key={name}>
            <td data-label="Place">{name}</td>
            <td data-label="State">
              {problem !== null ? (
                <span className="pill bad" title={problem.detail}>
                  refused
                </span>
              ) : pending > 0 ? (
                <span className="pill busy">{pending.toLocaleString('en')} to deliver</span>
              ) : (
                <span className="pill good">delivered</span>
              )}
            </td>
            <td data-label="Up to date">
              <Time at={up_to_date_at} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

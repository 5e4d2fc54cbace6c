import type { CSSProperties } from 'react';
import type { SystemStatus } from '../../api/documents.ts';

/** How many served certificates end within which time, as bars; the soonest on top. */
export function Runway({ runway }: { runway: SystemStatus['runway'] }) {
  const most = Math.max(1, ...runway.map(({ count }) => count));
  if (runway.every(({ count }) => count === 0)) return <p className="quiet">No certificate is served yet.</p>;
  return (
    <table className="bars">
      <caption className="visually-hidden">Served certificates by days left</caption>
      <tbody>
        {runway.map(({ within_days: days, count }, i) => (
          <tr key={days}>
            <th scope="row">{rangeOf(days, runway[i - 1]?.within_days ?? 0)}</th>
            <td>
              <div
                className={`bar ${days === 0 ? 'bad' : days !== null && days <= 7 ? 'warn' : 'good'}`}
                style={{ '--share': count / most } as CSSProperties}
              />
            </td>
            <td className="number">{count.toLocaleString('en')}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function rangeOf(days: number | null, before: number | null): string {
  if (days === 0) return 'expired';
  if (days === 1) return 'under a day';
  return days === null ? `over ${before} days` : `${before} to ${days} days`;
}

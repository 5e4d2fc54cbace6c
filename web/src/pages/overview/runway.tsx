import { Link } from 'wouter';
import type { Certificate } from '../../api/documents.ts';
import { Time } from '../../components/time.tsx';

const DAY = 86_400_000;
const WINDOW_DAYS = 30;

/** Certificates by the days they have left, soonest first, as bars on one scale. */
export function Runway({ certificates, now }: { certificates: readonly Certificate[]; now: number }) {
  const ending = certificates
    .flatMap((certificate) =>
      certificate.served === null ? [] : [{ ...certificate, end: Date.parse(certificate.served.not_after) }],
    )
    .sort((a, b) => a.end - b.end);
  if (ending.length === 0) return <p className="quiet">None.</p>;
  return (
    <ul className="runway">
      {ending.map(({ id, names, end, why }) => {
        const days = Math.max(0, (end - now) / DAY);
        return (
          <li key={id}>
            <div>
              <Link href={`/app/system/acme/certificates/${id}`}>{names[0]}</Link>
              <span className="quiet">
                ends <Time at={end} />
              </span>
            </div>
            <progress max={WINDOW_DAYS} value={days} aria-label={`${Math.floor(days)} days left`} />
            <span className="quiet">{why.summary}</span>
          </li>
        );
      })}
    </ul>
  );
}

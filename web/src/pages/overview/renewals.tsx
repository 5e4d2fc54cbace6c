import { Link } from 'wouter';
import type { Certificate } from '../../api/documents.ts';
import { Time } from '../../components/time.tsx';

/** What is renewed next, as a timeline. */
export function Renewals({ certificates }: { certificates: readonly Certificate[] }) {
  if (certificates.length === 0) return <p className="quiet">Nothing is due.</p>;
  return (
    <ol className="timeline tight" aria-label="Next renewals">
      {certificates.map(({ id, names, status, why, served }) => (
        <li key={id} className={status === 'renewing' ? 'busy' : ''}>
          <div className="between">
            <Link href={`/app/system/acme/certificates/${id}`}>
              {names[0]}
              {names.length > 1 && <span className="quiet"> and {names.length - 1} more</span>}
            </Link>
            {status === 'renewing' ? <span>now</span> : <Time at={why.next_attempt_at} />}
          </div>
          <div className="quiet">
            ends <Time at={served?.not_after} />
          </div>
        </li>
      ))}
    </ol>
  );
}

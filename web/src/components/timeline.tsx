import type { CertificateEvent } from '../api/documents.ts';
import { Time } from './time.tsx';

const TONES: Record<string, string> = { issued: 'good', served: 'good', problem: 'bad', revoked: 'bad' };

/** A history in words, oldest first. */
export function Timeline({ events }: { events: readonly CertificateEvent[] }) {
  return (
    <ol className="timeline" aria-label="History">
      {events.map((event) => (
        <li key={event.seq} className={event.problem !== null ? 'bad' : (TONES[event.step] ?? 'busy')}>
          <strong>{event.step}</strong> <Time at={event.at} />
          <div>{event.detail}</div>
          {event.problem?.advice != null && <div className="quiet">What to do: {event.problem.advice}</div>}
        </li>
      ))}
    </ol>
  );
}

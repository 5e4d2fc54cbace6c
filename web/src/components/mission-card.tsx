import { useState } from 'react';
import { Button } from 'react-aria-components';
import { Link } from 'wouter';
import type { Mission, MissionEvent } from '../api/documents.ts';
import { useChange, useDocument } from '../api/hooks.ts';
import { useMay } from '../api/session.tsx';
import { Field, FormProblem } from './form.tsx';
import { Loaded } from './states.tsx';
import { Status } from './status.tsx';
import { Time } from './time.tsx';
import { Why } from './why.tsx';

/** A mission with its plan, how far it has come, and, while it waits, the two buttons. */
export function MissionCard({ id }: { id: string }) {
  const query = useDocument<Mission>(`/missions/${id}`);
  return <Loaded query={query}>{(mission) => <Card mission={mission} />}</Loaded>;
}

function Card({ mission }: { mission: Mission }) {
  const { data: events = [] } = useDocument<MissionEvent[]>(`/missions/${mission.id}/events`);
  return (
    <section className="card" aria-label={`Mission: ${mission.title}`}>
      <header>
        <h2>
          <Link href={`~/app/missions/${mission.id}`}>{mission.title}</Link>
        </h2>
        <Status word={mission.status} />
      </header>
      <ol className="plan">
        {mission.plan.map(({ step, action, detail }) => (
          <li key={step} data-done={mission.steps_completed.includes(step)}>
            <span className="pill mark">{action}</span> {detail}
            {mission.steps_completed.includes(step) && <span className="visually-hidden">, done</span>}
          </li>
        ))}
      </ol>
      {mission.warnings.map((warning) => (
        <div key={warning} className="notice warn">
          {warning}
        </div>
      ))}
      <Why why={mission.why} />
      {events.length > 0 && (
        <details>
          <summary>What happened</summary>
          <ol className="timeline">
            {events.map((event) => (
              <li key={event.seq} className={event.state === 'failed' ? 'bad' : event.state === 'done' ? 'good' : ''}>
                <strong>{event.step}</strong> {event.state} <Time at={event.at} />
                <div>{event.detail}</div>
              </li>
            ))}
          </ol>
        </details>
      )}
      <p className="quiet">
        Asked by {mission.asked_by_name} <Time at={mission.created_at} />
        {mission.approvals.map(({ by, name, at }) => (
          <span key={by}>
            , approved by {name} <Time at={at} />
          </span>
        ))}
        {mission.rejected_by !== null && <span>, rejected by {mission.rejected_by_name}</span>}
      </p>
      {mission.status === 'proposed' && <Decision mission={mission} />}
    </section>
  );
}

function Decision({ mission }: { mission: Mission }) {
  const may = useMay('missions.approve');
  const approve = useChange();
  const reject = useChange();
  const [reason, setReason] = useState<string>();
  if (!may)
    return (
      <p className="quiet">
        It waits for somebody with the permission <code>missions.approve</code>.
      </p>
    );
  const busy = approve.isPending || reject.isPending;
  const path = `/missions/${mission.id}`;
  return (
    <>
      <FormProblem problem={approve.error ?? reject.error} />
      {reason !== undefined && <Field label="Why not?" value={reason} onChange={setReason} autoFocus />}
      <div className="actions">
        <Button
          className="button primary"
          isDisabled={busy}
          onPress={() => approve.mutate({ method: 'POST', path: `${path}/approve` })}
        >
          Approve
        </Button>
        <Button
          className="button danger"
          isDisabled={busy}
          onPress={() =>
            reason === undefined
              ? setReason('')
              : reject.mutate({ method: 'POST', path: `${path}/reject`, body: reason === '' ? {} : { reason } })
          }
        >
          Reject
        </Button>
        <span className="quiet">
          {mission.approvals.length} of {mission.approvals_needed} approvals; the offer ends{' '}
          <Time at={mission.expires_at} />
        </span>
      </div>
    </>
  );
}

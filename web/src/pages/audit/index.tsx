import { Button } from 'react-aria-components';
import type { AuditEvent, AuditVerdict } from '../../api/documents.ts';
import { useDocument, useList } from '../../api/hooks.ts';
import { Choice } from '../../components/choice.tsx';
import { useFilter } from '../../components/filter.ts';
import { Field } from '../../components/form.tsx';
import { Empty, Failure, Loading } from '../../components/states.tsx';
import { Status } from '../../components/status.tsx';
import { Time } from '../../components/time.tsx';
import { VirtualList } from '../../components/virtual-list.tsx';
import { Gate } from '../../shell/console.tsx';
import { Page } from '../../shell/page.tsx';

export default function Audit() {
  return (
    <Gate anyOf={['audit.read']}>
      <AuditLog />
    </Gate>
  );
}

function AuditLog() {
  const [filter, change] = useFilter();
  const words = { actor: filter('actor'), action: filter('action'), outcome: filter('outcome') };
  const events = useList<AuditEvent>('/audit_events', words);
  return (
    <Page
      title="Audit"
      lead="Every write and every refusal, in a log that nobody can change without breaking its chain."
      actions={<ChainCheck />}
    >
      <div className="toolbar">
        <div className="grow">
          <Field
            label="Actor"
            value={words.actor}
            onChange={(value) => change('actor', value)}
            placeholder="token:… or acme:…"
          />
        </div>
        <div className="grow">
          <Field
            label="Action"
            value={words.action}
            onChange={(value) => change('action', value)}
            placeholder="domain.claim"
          />
        </div>
        <Choice
          label="Outcome"
          value={words.outcome}
          onChange={(value) => change('outcome', value)}
          options={[{ id: '', title: 'Any' }, ...['done', 'refused', 'failed'].map((id) => ({ id, title: id }))]}
        />
        <a className="button" href="/api/v1/audit_events/export">
          Export
        </a>
      </div>
      {events.error !== null && events.rows.length === 0 && (
        <Failure problem={events.error} retry={() => void events.refetch()} />
      )}
      {events.isPending && <Loading />}
      {events.isSuccess && events.rows.length === 0 && <Empty title="No event is like that" />}
      {events.rows.length > 0 && (
        <VirtualList
          label="Audit events"
          rows={events.rows}
          rowKey={(row) => String(row.seq)}
          columns="minmax(90px, 0.7fr) minmax(0, 1.2fr) minmax(0, 1fr) minmax(0, 1.6fr) minmax(84px, 0.5fr)"
          head={['When', 'Who', 'What', 'To what', 'Outcome']}
          more={events.hasNextPage ? () => void events.fetchNextPage() : undefined}
          render={(row) => (
            <>
              <Time at={row.at} />
              <span className="narrow-hide" title={row.actor}>
                {row.actor.startsWith('token:') ? row.actor_name : row.actor}
              </span>
              <span>{row.action}</span>
              <span className="mono">{row.resource}</span>
              <span className="narrow-hide">
                <Status word={row.outcome} />
              </span>
            </>
          )}
        />
      )}
    </Page>
  );
}

function ChainCheck() {
  const verdict = useDocument<AuditVerdict>('/audit_events/verify');
  return (
    <>
      {verdict.data !== undefined && (
        <span className={`pill ${verdict.data.ok ? 'good' : 'bad'}`}>
          {verdict.data.ok ? `chain of ${verdict.data.seals} seals is whole` : verdict.data.problem}
        </span>
      )}
      <Button className="button" onPress={() => void verdict.refetch()} isDisabled={verdict.isFetching}>
        {verdict.isFetching ? 'Checking…' : 'Check the chain'}
      </Button>
    </>
  );
}

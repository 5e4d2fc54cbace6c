import { Link, Route, Switch } from 'wouter';
import type { Mission } from '../../api/documents.ts';
import { useList } from '../../api/hooks.ts';
import { Choice } from '../../components/choice.tsx';
import { useFilter } from '../../components/filter.ts';
import { MissionCard } from '../../components/mission-card.tsx';
import { Empty, Loaded } from '../../components/states.tsx';
import { Status } from '../../components/status.tsx';
import { Time } from '../../components/time.tsx';
import { Gate } from '../../shell/console.tsx';
import { Page } from '../../shell/page.tsx';

const STATUSES = ['proposed', 'approved', 'running', 'succeeded', 'failed', 'rejected', 'expired'];

export default function Missions() {
  return (
    <Gate anyOf={['system.ingress.read', 'missions.approve']}>
      <Switch>
        <Route path="/:id">
          {({ id }) => (
            <Page title="Mission" lead={<Link href="/">All missions</Link>}>
              <MissionCard id={id} />
            </Page>
          )}
        </Route>
        <Route component={MissionList} />
      </Switch>
    </Gate>
  );
}

/** Those that wait for a person stand first, whole; the rest is a list. */
function MissionList() {
  const [filter, change] = useFilter();
  const waiting = useList<Mission>('/missions', { status: 'proposed' });
  const missions = useList<Mission>('/missions', { status: filter('status') });
  return (
    <Page
      title="Missions"
      lead="Nothing is exposed, withdrawn or revoked in bulk before somebody has approved it here."
    >
      {waiting.rows.map((mission) => (
        <MissionCard key={mission.id} id={mission.id} />
      ))}
      <div className="toolbar">
        <Choice
          label="Status"
          value={filter('status')}
          onChange={(value) => change('status', value)}
          options={[{ id: '', title: 'Any status' }, ...STATUSES.map((id) => ({ id, title: id }))]}
        />
      </div>
      <Loaded query={missions}>
        {() =>
          missions.rows.length === 0 ? (
            <Empty title="No mission" />
          ) : (
            <section className="card flush">
              <table className="rows">
                <thead>
                  <tr>
                    <th scope="col">Mission</th>
                    <th scope="col">Status</th>
                    <th scope="col">Asked by</th>
                    <th scope="col">When</th>
                  </tr>
                </thead>
                <tbody>
                  {missions.rows.map((mission) => (
                    <tr key={mission.id}>
                      <td data-label="Mission">
                        <Link href={`/${mission.id}`}>{mission.title}</Link>
                      </td>
                      <td data-label="Status">
                        <Status word={mission.status} />
                      </td>
                      <td data-label="Asked by">{mission.asked_by_name}</td>
                      <td data-label="When">
                        <Time at={mission.created_at} />
                      </td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </section>
          )
        }
      </Loaded>
    </Page>
  );
}

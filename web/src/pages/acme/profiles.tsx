import { useState } from 'react';
import { Button } from 'react-aria-components';
import type { AcmeProfile, EabKey, SystemCa } from '../../api/documents.ts';
import { useChange, useDocument, useList } from '../../api/hooks.ts';
import { useMay } from '../../api/session.tsx';
import { CopyLine } from '../../components/copy.tsx';
import { FormProblem } from '../../components/form.tsx';
import { Loaded } from '../../components/states.tsx';
import { Status } from '../../components/status.tsx';
import { Time } from '../../components/time.tsx';
import { Page, Tabs } from '../../shell/page.tsx';
import { NewEabKey } from './new-eab-key.tsx';
import { NewProfile } from './new-profile.tsx';
import { ACME_TABS } from './tabs.ts';

/** Our own CA: its root, and the profiles by which other people's clients ask it. */
export function Profiles() {
  const profiles = useList<AcmeProfile>('/system/acme_profiles');
  const ca = useDocument<SystemCa>('/system/ca');
  const may = useMay('system.acme.manage');
  const [adding, setAdding] = useState(false);
  return (
    <Page
      title="Our CA"
      lead="Each profile is an ACME directory of its own: who may ask, for what, and how it is proved."
      actions={
        may && (
          <Button className="button primary" onPress={() => setAdding(true)}>
            New profile
          </Button>
        )
      }
    >
      <Tabs label="ACME" tabs={ACME_TABS} />
      {ca.data?.root_file != null && (
        <section className="card">
          <h2>Root</h2>
          <CopyLine text={ca.data.root_file} label="path of the root certificate" />
        </section>
      )}
      <Loaded query={profiles}>
        {() => profiles.rows.map((profile) => <ProfileCard key={profile.id} profile={profile} />)}
      </Loaded>
      {adding && <NewProfile onClose={() => setAdding(false)} />}
    </Page>
  );
}

function ProfileCard({ profile }: { profile: AcmeProfile }) {
  return (
    <section className="card">
      <header>
        <h2>{profile.id}</h2>
        {profile.default && <span className="pill mark good">default</span>}
      </header>
      <dl className="facts">
        <dt>Directory</dt>
        <dd className="mono">{profile.directory}</dd>
        <dt>Authorization</dt>
        <dd>{profile.auth_mode === 'challenge' ? 'by challenge' : 'by the trusted account alone'}</dd>
        <dt>Account binding</dt>
        <dd>{profile.eab_required ? 'required' : 'not required'}</dd>
        <dt>Longest life</dt>
        <dd>{Math.round(profile.max_ttl_seconds / 86_400)} days</dd>
      </dl>
      <EabKeys profile={profile.id} />
    </section>
  );
}

function EabKeys({ profile }: { profile: string }) {
  const may = useMay('system.acme.manage');
  const path = `/system/acme_profiles/${profile}/eab_keys`;
  const keys = useList<EabKey>(path);
  const [making, setMaking] = useState(false);
  const revoke = useChange();
  return (
    <details>
      <summary>{keys.rows.length} external account binding keys</summary>
      {keys.rows.length > 0 && (
        <table className="rows">
          <thead>
            <tr>
              <th scope="col">Key id</th>
              <th scope="col">Status</th>
              <th scope="col">Issued</th>
              <th scope="col">Made</th>
              <th scope="col">
                <span className="visually-hidden">Actions</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {keys.rows.map((key) => (
              <tr key={key.id}>
                <td data-label="Key id" className="mono">
                  {key.id}
                </td>
                <td data-label="Status">
                  <Status word={key.status} />
                </td>
                <td data-label="Issued">{key.certificates}</td>
                <td data-label="Made">
                  <Time at={key.created_at} />
                </td>
                <td>
                  {may && key.status !== 'revoked' && (
                    <Button
                      className="button small danger"
                      onPress={() => revoke.mutate({ method: 'DELETE', path: `${path}/${key.id}` })}
                    >
                      Revoke
                    </Button>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <FormProblem problem={revoke.error} />
      {may && (
        <Button className="button small" onPress={() => setMaking(true)}>
          Make a key
        </Button>
      )}
      {making && <NewEabKey profile={profile} onClose={() => setMaking(false)} />}
    </details>
  );
}

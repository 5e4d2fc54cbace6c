import { useState } from 'react';
import { Button } from 'react-aria-components';
import type { DnsCredential } from '../../api/documents.ts';
import { useChange, useList } from '../../api/hooks.ts';
import { useMay } from '../../api/session.tsx';
import { Confirm } from '../../components/dialog.tsx';
import { FormProblem } from '../../components/form.tsx';
import { Empty, Loaded } from '../../components/states.tsx';
import { Status } from '../../components/status.tsx';
import { Time } from '../../components/time.tsx';
import { Page, Tabs } from '../../shell/page.tsx';
import { NewCredential } from './new-credential.tsx';
import { ACME_TABS } from './tabs.ts';

const PATH = '/system/acme_dns_credentials';

export function DnsCredentials() {
  const may = useMay('system.acme.manage');
  const credentials = useList<DnsCredential>(PATH);
  const [adding, setAdding] = useState(false);
  return (
    <Page
      title="DNS credentials"
      lead="With them the TXT records of DNS-01 are written. Secrets go in and never come out."
      actions={
        may && (
          <Button className="button primary" onPress={() => setAdding(true)}>
            Add a credential
          </Button>
        )
      }
    >
      <Tabs label="ACME" tabs={ACME_TABS} />
      <Loaded query={credentials}>
        {() =>
          credentials.rows.length === 0 ? (
            <Empty title="No credential yet">
              <p>Wildcards, and names that are not reachable from outside, need one.</p>
            </Empty>
          ) : (
            <div className="grid">
              {credentials.rows.map((credential) => (
                <CredentialCard key={credential.id} credential={credential} may={may} />
              ))}
            </div>
          )
        }
      </Loaded>
      {adding && <NewCredential onClose={() => setAdding(false)} />}
    </Page>
  );
}

function CredentialCard({ credential, may }: { credential: DnsCredential; may: boolean }) {
  const validate = useChange();
  const remove = useChange();
  const [removing, setRemoving] = useState(false);
  const path = `${PATH}/${credential.id}`;
  return (
    <section className="card">
      <header>
        <h2>
          {credential.name} <span className="quiet">({credential.provider})</span>
        </h2>
        <Status word={credential.validation} />
      </header>
      <dl className="facts">
        <dt>Zones</dt>
        <dd>{credential.zones.length === 0 ? 'all that it can see' : credential.zones.join(', ')}</dd>
        <dt>Proved</dt>
        <dd>
          <Time at={credential.validated_at} />
        </dd>
        <dt>Secret</dt>
        <dd className="mono">{credential.secret_path}</dd>
      </dl>
      {credential.validation_detail !== null && <p className="quiet">{credential.validation_detail}</p>}
      <FormProblem problem={validate.error} />
      {may && (
        <div className="actions">
          <Button
            className="button"
            isDisabled={validate.isPending}
            onPress={() => validate.mutate({ method: 'POST', path: `${path}/validate` })}
          >
            {validate.isPending ? 'Testing…' : 'Test connectivity'}
          </Button>
          <Button className="button danger" onPress={() => setRemoving(true)}>
            Remove
          </Button>
        </div>
      )}
      <Confirm
        title={`Remove ${credential.name}`}
        consequence="Its secret is deleted. Certificates that need it cannot be renewed until they have another."
        action="Remove"
        open={removing}
        busy={remove.isPending}
        problem={remove.error}
        onClose={() => setRemoving(false)}
        onConfirm={() => remove.mutate({ method: 'DELETE', path, onDone: () => setRemoving(false) })}
      />
    </section>
  );
}

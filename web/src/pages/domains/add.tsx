import { type FormEvent, useState } from 'react';
import { useLocation } from 'wouter';
import type { App, Domain } from '../../api/documents.ts';
import { useChange } from '../../api/hooks.ts';
import { Check } from '../../components/check.tsx';
import { Choice } from '../../components/choice.tsx';
import { Overlay } from '../../components/dialog.tsx';
import { Field, FormFoot } from '../../components/form.tsx';

const NEW_APP = 'new';

/** Adds a domain, to an app that exists or a new one, and goes to where its way to being served can be watched. */
export function AddDomain({ apps, onClose }: { apps: readonly App[]; onClose: () => void }) {
  const [, navigate] = useLocation();
  const [domain, setDomain] = useState('');
  const [app, setApp] = useState(apps[0]?.id ?? NEW_APP);
  const [name, setName] = useState('');
  const [upstream, setUpstream] = useState('');
  const [onDemand, setOnDemand] = useState(false);
  const createApp = useChange<App>();
  const addDomain = useChange<Domain>();
  const busy = createApp.isPending || addDomain.isPending;
  const problem = createApp.error ?? addDomain.error;
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    let owner = app;
    if (app === NEW_APP) {
      const body = { id: name, upstreams: [upstream] };
      owner = (await createApp.mutateAsync({ method: 'POST', path: '/apps', body })).id;
      // The app is there now, whatever becomes of the domain.
      setApp(owner);
    }
    const body = { domain, ...(onDemand && { on_demand: true }) };
    const added = await addDomain.mutateAsync({ method: 'POST', path: `/apps/${owner}/domains`, body });
    navigate(`/${owner}/${encodeURIComponent(added.domain)}`);
  };
  return (
    <Overlay title="Add a domain" open onClose={onClose}>
      <form className="form" onSubmit={(event) => void submit(event).catch(() => {})}>
        <div className="wide">
          <Field
            label="Name"
            name="domain"
            value={domain}
            onChange={setDomain}
            required
            autoFocus
            problem={problem}
            placeholder="shop.example.com"
            hint="A host name, an internationalized one too, or *.example.com"
          />
        </div>
        <div className="wide">
          <Choice
            label="App"
            value={app}
            onChange={setApp}
            options={[
              ...apps.map(({ id, name: title }) => ({ id, title })),
              ...(app === NEW_APP || apps.some(({ id }) => id === app) ? [] : [{ id: app, title: app }]),
              { id: NEW_APP, title: 'A new app' },
            ]}
          />
        </div>
        {app === NEW_APP && (
          <>
            <Field
              label="App's name"
              name="name"
              value={name}
              onChange={setName}
              required
              problem={problem}
              placeholder="shop"
            />
            <Field
              label="Upstream"
              name="upstreams[0]"
              value={upstream}
              onChange={setUpstream}
              required
              problem={problem}
              placeholder="http://127.0.0.1:3000"
            />
          </>
        )}
        <div className="wide">
          <Check checked={onDemand} onChange={setOnDemand}>
            Get its certificate when the first visitor comes
          </Check>
        </div>
        <FormFoot
          action={busy ? 'Adding…' : 'Add'}
          problem={problem}
          fields={['domain', 'id', 'upstreams[0]']}
          disabled={busy}
          onCancel={onClose}
        />
      </form>
    </Overlay>
  );
}

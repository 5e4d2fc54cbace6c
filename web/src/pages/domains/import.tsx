import { type FormEvent, useState } from 'react';
import { Button, FileTrigger } from 'react-aria-components';
import { callText, type Problem } from '../../api/client.ts';
import type { App, DomainImport, ImportLine } from '../../api/documents.ts';
import { useDocument, useList } from '../../api/hooks.ts';
import { Choice } from '../../components/choice.tsx';
import { Overlay } from '../../components/dialog.tsx';
import { Field, FormProblem } from '../../components/form.tsx';

const LOOK_EVERY_MS = 500;

/** Claims many names at once from a CSV file or from what is pasted, and stays to report on each line. */
export function ImportDomains({ apps, onClose }: { apps: readonly App[]; onClose: () => void }) {
  const [app, setApp] = useState(apps[0]?.id ?? '');
  const [text, setText] = useState('');
  const [problem, setProblem] = useState<Problem | null>(null);
  const [id, setId] = useState<string>();
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setProblem(null);
    try {
      setId((await callText<{ data: DomainImport }>(`/apps/${app}/domain_imports`, 'text/csv', text)).data.id);
    } catch (error) {
      setProblem(error as Problem);
    }
  };
  return (
    <Overlay title="Import domains" open onClose={onClose}>
      {id !== undefined ? (
        <Report app={app} id={id} onClose={onClose} />
      ) : (
        <form className="form" onSubmit={(event) => void submit(event)}>
          <div className="wide">
            <Choice
              label="App"
              value={app}
              onChange={setApp}
              options={apps.map(({ id: key, name: title }) => ({ id: key, title }))}
            />
          </div>
          <Field
            label="Names"
            value={text}
            onChange={setText}
            lines={8}
            placeholder={'domain,redirect_to\nshop.example.com\nwww.example.com,example.com'}
            hint="CSV, one name a line, up to 10,000: domain, redirect_to, route"
          />
          <div className="wide">
            <FormProblem problem={problem} />
          </div>
          <div className="actions wide">
            <Button type="submit" className="button primary" isDisabled={app === '' || text.trim() === ''}>
              Import
            </Button>
            <FileTrigger
              acceptedFileTypes={['.csv', 'text/csv', 'text/plain']}
              onSelect={(files) => void files?.[0]?.text().then(setText)}
            >
              <Button className="button">Take a file</Button>
            </FileTrigger>
            <Button className="button" onPress={onClose}>
              Cancel
            </Button>
          </div>
        </form>
      )}
    </Overlay>
  );
}

function Report({ app, id, onClose }: { app: string; id: string; onClose: () => void }) {
  const path = `/apps/${app}/domain_imports/${id}`;
  const { data } = useDocument<DomainImport>(path, LOOK_EVERY_MS);
  const failed = useList<ImportLine>(`${path}/lines`, { outcome: 'failed' }).rows;
  if (data === undefined) return <p className="quiet">Reading…</p>;
  const over = data.finished_at !== null;
  return (
    <>
      <label>
        {over ? 'All lines are done.' : `${data.done.toLocaleString('en')} of ${data.total.toLocaleString('en')} lines`}
        <progress className="progress" max={data.total} value={data.done} />
      </label>
      <dl className="facts" aria-live="polite">
        <dt>Added</dt>
        <dd>{data.added.toLocaleString('en')}</dd>
        <dt>Already there</dt>
        <dd>{data.kept.toLocaleString('en')}</dd>
        <dt>Refused</dt>
        <dd>{data.failed.toLocaleString('en')}</dd>
      </dl>
      {failed.length > 0 && (
        <table className="rows dense">
          <thead>
            <tr>
              <th scope="col">Line</th>
              <th scope="col">Name</th>
              <th scope="col">Why</th>
            </tr>
          </thead>
          <tbody>
            {failed.slice(0, 100).map(({ line, domain, detail }) => (
              <tr key={line}>
                <td data-label="Line" className="number">
                  {line}
                </td>
                <td data-label="Name" className="mono">
                  {domain}
                </td>
                <td data-label="Why">{detail}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <div className="actions">
        <Button className="button primary" onPress={onClose}>
          {over ? 'Done' : 'Go on in the background'}
        </Button>
      </div>
    </>
  );
}

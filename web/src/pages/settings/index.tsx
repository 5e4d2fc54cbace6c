import { useDocument } from '../../api/hooks.ts';
import { useSession } from '../../api/session.tsx';
import { CopyLine } from '../../components/copy.tsx';
import { Loaded } from '../../components/states.tsx';
import { Page } from '../../shell/page.tsx';
import { ThemeButton } from '../../shell/theme.tsx';

interface SystemCa {
  readonly root_pem: string;
  readonly root_file: string | null;
}

export default function Settings() {
  const session = useSession();
  const ca = useDocument<SystemCa>('/system/ca');
  return (
    <Page title="Settings">
      <div className="grid">
        <section className="card">
          <h2>You</h2>
          <dl className="facts">
            <dt>Signed in as</dt>
            <dd className="mono">{session.name}</dd>
            <dt>May</dt>
            <dd>{session.permissions.join(', ')}</dd>
            <dt>Apps</dt>
            <dd>{session.apps === null ? 'all' : session.apps.join(', ')}</dd>
          </dl>
          <div>
            <ThemeButton />
          </div>
        </section>
        <section className="card">
          <h2>Certificate authority</h2>
          <Loaded query={ca}>
            {({ root_file, root_pem }) => (
              <>
                <p>Programs that use its certificates must trust its root.</p>
                {root_file !== null && <CopyLine text={root_file} label="path of the root" />}
                <CopyLine text="gatehouse ca trust" label="command" />
                <details>
                  <summary>The root in PEM</summary>
                  <pre className="mono">{root_pem}</pre>
                </details>
              </>
            )}
          </Loaded>
        </section>
      </div>
    </Page>
  );
}

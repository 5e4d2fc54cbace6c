import { useState } from 'react';
import { Button } from 'react-aria-components';
import { PERMISSIONS, type Token } from '../../api/documents.ts';
import { useChange, useList } from '../../api/hooks.ts';
import { Confirm } from '../../components/dialog.tsx';
import { Loaded } from '../../components/states.tsx';
import { Status } from '../../components/status.tsx';
import { Time } from '../../components/time.tsx';
import { Gate } from '../../shell/console.tsx';
import { Page } from '../../shell/page.tsx';
import { NewToken } from './new-token.tsx';

export default function Tokens() {
  return (
    <Gate anyOf={['tokens.manage']}>
      <TokenList />
    </Gate>
  );
}

function TokenList() {
  const tokens = useList<Token>('/tokens');
  const [making, setMaking] = useState(false);
  const [revoking, setRevoking] = useState<Token>();
  const revoke = useChange();
  return (
    <Page
      title="Tokens"
      lead="Who may do what. A token is shown once, when it is made; only its digest is kept."
      actions={
        <Button className="button primary" onPress={() => setMaking(true)}>
          New token
        </Button>
      }
    >
      <Loaded query={tokens}>
        {() => (
          <section className="card flush">
            <table className="rows">
              <thead>
                <tr>
                  <th scope="col">Name</th>
                  <th scope="col">Belongs to</th>
                  <th scope="col">May</th>
                  <th scope="col">Last used</th>
                  <th scope="col">Ends</th>
                  <th scope="col">
                    <span className="visually-hidden">Actions</span>
                  </th>
                </tr>
              </thead>
              <tbody>
                {tokens.rows.map((token) => (
                  <tr key={token.id}>
                    <td data-label="Name">
                      <strong>{token.name}</strong> <span className="quiet mono">{token.id}</span>
                    </td>
                    <td data-label="Belongs to">{token.belongs_to}</td>
                    <td data-label="May">
                      {token.permissions.length === Object.keys(PERMISSIONS).length
                        ? 'everything'
                        : token.permissions.join(', ')}
                      {token.apps !== null && <span className="quiet"> for {token.apps.join(', ')} only</span>}
                    </td>
                    <td data-label="Last used">
                      <Time at={token.last_used_at} />
                    </td>
                    <td data-label="Ends">
                      {token.expires_at === null ? (
                        <span className="quiet nowrap">never</span>
                      ) : (
                        <Time at={token.expires_at} />
                      )}
                    </td>
                    <td>
                      {token.revoked_at === null ? (
                        <Button className="button small danger" onPress={() => setRevoking(token)}>
                          Revoke
                        </Button>
                      ) : (
                        <Status word="revoked" />
                      )}
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </section>
        )}
      </Loaded>
      {making && <NewToken onClose={() => setMaking(false)} />}
      {revoking !== undefined && (
        <Confirm
          title={`Revoke the token ${revoking.name}`}
          consequence="Whoever uses it is refused from now on. This cannot be undone."
          action="Revoke"
          open
          busy={revoke.isPending}
          problem={revoke.error}
          onClose={() => setRevoking(undefined)}
          onConfirm={() =>
            revoke.mutate({ method: 'DELETE', path: `/tokens/${revoking.id}`, onDone: () => setRevoking(undefined) })
          }
        />
      )}
    </Page>
  );
}

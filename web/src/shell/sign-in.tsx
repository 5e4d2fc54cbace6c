import { useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { Button, Input, Label, TextField } from 'react-aria-components';
import { call, type Problem } from '../api/client.ts';
import { useDocument } from '../api/hooks.ts';

/** Only codes travel in the URL, so that a link from elsewhere cannot put words on this page. */
const REFUSALS: Record<string, string> = {
  openid_unreachable: 'The sign-in provider cannot be reached. Try again, or use a token.',
  openid_refused: 'The sign-in provider did not vouch for you. Try again.',
  openid_no_permission: 'You are in no group that has a permission here. Ask for one.',
  openid_expired: 'Signing in took too long. Try again.',
};

export function SignIn() {
  const client = useQueryClient();
  const [token, setToken] = useState('');
  const [problem, setProblem] = useState<Problem>();
  const [busy, setBusy] = useState(false);
  const { data: ways = [] } = useDocument<{ title: string; path: string }[]>('/session/ways');
  const refused = new URLSearchParams(window.location.search).get('sign_in');
  const refusal = refused === null ? undefined : (REFUSALS[refused] ?? 'Signing in did not work. Try again.');
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setProblem(undefined);
    try {
      await call('POST', '/session', { token: token.trim() });
      if (refused !== null) window.history.replaceState(null, '', window.location.pathname);
      await client.invalidateQueries();
    } catch (error) {
      setProblem(error as Problem);
    } finally {
      setBusy(false);
    }
  };
  return (
    <main className="sign-in">
      <form className="card" onSubmit={(event) => void submit(event)}>
        <div className="shell-brand">
          <img src="/favicon.svg" alt="" />
          Gatehouse
        </div>
        <h1>Sign in</h1>
        {refusal !== undefined && (
          <div className="notice bad" role="alert">
            <strong>{refusal}</strong>
          </div>
        )}
        {ways.map(({ title, path }) => (
          <a key={path} className="button primary" href={path}>
            {title}
          </a>
        ))}
        <p className="quiet">
          {ways.length > 0 ? 'Or use' : 'Use'} a token. The first one was printed when Gatehouse started for the first
          time; more are made with <code>gatehouse tokens create</code>.
        </p>
        <TextField
          className="field"
          value={token}
          onChange={setToken}
          isRequired
          type="password"
          autoComplete="current-password"
        >
          <Label>Token</Label>
          <Input autoFocus />
        </TextField>
        {problem !== undefined && (
          <p className="form-error" role="alert">
            {problem.status === 401 ? 'This token is unknown, expired or revoked.' : problem.message}
          </p>
        )}
        <Button type="submit" className="button primary" isDisabled={busy || token.trim() === ''}>
          {busy ? 'Signing in…' : 'Sign in'}
        </Button>
      </form>
    </main>
  );
}

import { useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useState } from 'react';
import { Button, Input, Label, TextField } from 'react-aria-components';
import { call, type Problem } from '../api/client.ts';

export function SignIn() {
  const client = useQueryClient();
  const [token, setToken] = useState('');
  const [problem, setProblem] = useState<Problem>();
  const [busy, setBusy] = useState(false);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setProblem(undefined);
    try {
      await call('POST', '/session', { token: token.trim() });
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
        <p className="quiet">
          Use a token. The first one was printed when Gatehouse started for the first time; more are made with{' '}
          <code>gatehouse tokens create</code>.
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

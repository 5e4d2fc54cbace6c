import { useQuery } from '@tanstack/react-query';
import { createContext, useContext } from 'react';
import { get, type Problem } from './client.ts';

export interface Session {
  readonly name: string;
  readonly display_name: string;
  readonly permissions: readonly string[];
  readonly apps: readonly string[] | null;
}

const SessionContext = createContext<Session | undefined>(undefined);
export const SessionProvider = SessionContext.Provider;

export function useSession(): Session {
  const session = useContext(SessionContext);
  if (session === undefined) throw new Error('no session above this component');
  return session;
}

export const useMay = (permission: string): boolean => useSession().permissions.includes(permission);

/** The session that the cookie stands for; a problem of status 401 when there is none. */
export function useSessionQuery() {
  return useQuery<Session, Problem>({
    queryKey: ['session'],
    queryFn: async () => (await get<{ data: Session }>('/whoami')).data,
    retry: (count, problem) => problem.status !== 401 && count < 3,
  });
}

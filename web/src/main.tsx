import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { Console } from './shell/console.tsx';
import './styles.css';

const client = new QueryClient({
  // The change stream says when something is old; polling is only the net below it.
  defaultOptions: { queries: { staleTime: 5_000, refetchInterval: 60_000, refetchOnWindowFocus: true, retry: 2 } },
});

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <QueryClientProvider client={client}>
      <Console />
    </QueryClientProvider>
  </StrictMode>,
);

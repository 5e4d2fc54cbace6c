import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

/** Serves revocation lists and OCSP over plain HTTP: whoever checks a certificate cannot check another one for that. */
export async function listenForRelyingParties(
  { address, port }: { readonly address: string; readonly port: number },
  answer: (request: IncomingMessage, response: ServerResponse) => boolean,
): Promise<{ readonly port: number; close(): Promise<void> }> {
  const server = createServer({ requestTimeout: 10_000 }, (request, response) => {
    if (!answer(request, response)) response.writeHead(404).end();
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, address, resolve);
  });
  return {
    port: (server.address() as { port: number }).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
      }),
  };
}

import { chmodSync, unlinkSync } from 'node:fs';
import type { Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { Fault } from '../../base/index.ts';

/** Resolves with the real port. */
export function listenOnPort(server: Server, address: string, port: number): Promise<number> {
  return listening(server, `${address}:${port}`, () => server.listen(port, address)).then(
    () => (server.address() as AddressInfo).port,
  );
}

/** A socket for its owner alone. One left behind by a process that is gone is replaced; a living one is not. */
export async function listenOnSocket(server: Server, path: string): Promise<void> {
  if (await isAnswered(path)) throw refused(path, 'another process listens there');
  try {
    unlinkSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw refused(path, (error as Error).message);
  }
  await listening(server, path, () => server.listen(path));
  chmodSync(path, 0o600);
}

function listening(server: Server, where: string, listen: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(refused(where, error.message)));
    server.once('listening', resolve);
    listen();
  });
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}

const refused = (where: string, reason: string) =>
  new Fault({
    code: 'listen_failed',
    detail: `cannot listen on ${where}: ${reason}`,
    party: 'operator',
    retry: 'never',
  });

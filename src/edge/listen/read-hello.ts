import type { Socket } from 'node:net';
import { parseClientHello } from '../tls/client-hello.ts';

type Complete = Exclude<ReturnType<typeof parseClientHello>, { status: 'partial' }>;

/** Collects the first bytes until they are a ClientHello; the parser bounds them. */
export function readHello(
  socket: Socket,
  head: Buffer | undefined,
  done: (bytes: Buffer, result: Complete) => void,
): void {
  let have = head;
  const look = (): boolean => {
    if (have === undefined) return false;
    const result = parseClientHello(have);
    if (result.status === 'partial') return false;
    socket.removeListener('data', onData);
    done(have, result);
    return true;
  };
  const onData = (chunk: Buffer) => {
    have = have === undefined ? chunk : Buffer.concat([have, chunk]);
    look();
  };
  if (!look()) socket.on('data', onData);
}

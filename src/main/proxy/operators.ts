import type { Server } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '../../base/index.ts';
import {
  adminRoutes,
  healthRoutes,
  listenOnPort,
  listenOnSocket,
  type OperatorDeps,
  serveRoutes,
} from '../../edge/index.ts';
import type { LoadedProxy } from './load-proxy-config.ts';

const AGAIN_MS = 50;
const TRIES = 200;

/** Health and admin. `patient` waits for a process that is about to let go of their places. Resolves with the port. */
export async function serveOperators(
  { config }: LoadedProxy,
  operator: OperatorDeps,
  { servers, log, patient }: { servers: Server[]; log: Logger; patient: boolean },
): Promise<number | undefined> {
  const { health, admin } = config;
  const attempt = async <T>(listen: () => Promise<T>): Promise<T> => {
    for (let left = patient ? TRIES : 1; ; left--) {
      try {
        return await listen();
      } catch (error) {
        if (left <= 1) throw error;
        await delay(AGAIN_MS);
      }
    }
  };
  if (admin !== undefined) {
    const server = serveRoutes(adminRoutes(operator), log);
    servers.push(server);
    await attempt(() => listenOnSocket(server, admin.socket));
  }
  if (health === undefined) return undefined;
  const server = serveRoutes(healthRoutes(operator), log);
  servers.push(server);
  return attempt(() => listenOnPort(server, health.address, health.port));
}
